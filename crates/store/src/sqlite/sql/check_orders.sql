SELECT k.key
FROM json_each(?1) AS k
LEFT JOIN orders AS o ON o.shop = k.value ->> 0 AND o.order_id = k.value ->> 1
WHERE coalesce(o.version, 0) <> k.value ->> 2
