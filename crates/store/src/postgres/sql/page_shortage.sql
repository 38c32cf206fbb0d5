-- What short orders ask for and there is none of, most asked first.
SELECT demanded.sku, count(*), s.available
FROM (SELECT document FROM orders WHERE short LIMIT $1) AS o
CROSS JOIN LATERAL jsonb_object_keys(o.document #> '{short,demand}') AS demanded (sku)
CROSS JOIN LATERAL (
    SELECT coalesce(sum(on_hand - committed), 0)::bigint AS available
    FROM stock
    WHERE stock.sku = demanded.sku
) AS s
WHERE s.available <= 0
GROUP BY demanded.sku, s.available
ORDER BY 2 DESC, demanded.sku COLLATE "C"
LIMIT $2
