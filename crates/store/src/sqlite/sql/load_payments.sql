SELECT p.shop, p.payment_id, p.version, p.document
FROM json_each(?1) AS k
CROSS JOIN payments AS p ON p.shop = k.value ->> 0 AND p.payment_id = k.value ->> 1
