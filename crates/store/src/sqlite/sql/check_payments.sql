SELECT k.key
FROM json_each(?1) AS k
LEFT JOIN payments AS p ON p.shop = k.value ->> 0 AND p.payment_id = k.value ->> 1
WHERE coalesce(p.version, 0) <> k.value ->> 2
