SELECT k.key
FROM json_each(?1) AS k
LEFT JOIN stock AS s ON s.sku = k.value ->> 0 AND s.location = k.value ->> 1
WHERE coalesce(s.version, 0) <> k.value ->> 2
