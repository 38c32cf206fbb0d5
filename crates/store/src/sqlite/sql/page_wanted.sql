SELECT demanded.key, count(*)
FROM (SELECT document FROM orders INDEXED BY orders_short WHERE short LIMIT ?2) AS o,
    json_each(o.document, '$.short.demand') AS demanded
WHERE demanded.key IN (SELECT value FROM json_each(?1))
GROUP BY demanded.key
ORDER BY demanded.key
