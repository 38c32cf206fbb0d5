-- What short orders ask for and there is none of, most asked first.
SELECT sku, asked, available
FROM (
    SELECT demanded.key AS sku, count(*) AS asked, (
        SELECT coalesce(sum(s.on_hand - s.committed), 0)
        FROM stock AS s
        WHERE s.sku = demanded.key
    ) AS available
    FROM (SELECT document FROM orders INDEXED BY orders_short WHERE short LIMIT ?1) AS o,
        json_each(o.document, '$.short.demand') AS demanded
    GROUP BY demanded.key
)
WHERE available <= 0
ORDER BY asked DESC, sku
LIMIT ?2
