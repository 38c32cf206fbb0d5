SELECT o.shop, o.order_id, o.version, o.document
FROM json_each(?1) AS k
CROSS JOIN orders AS o ON o.shop = k.value ->> 0 AND o.order_id = k.value ->> 1
