SELECT demanded.sku, count(*)
FROM (SELECT document FROM orders WHERE short LIMIT $2) AS o,
    jsonb_object_keys(o.document #> '{short,demand}') AS demanded (sku)
WHERE demanded.sku = ANY ($1)
GROUP BY demanded.sku
ORDER BY demanded.sku COLLATE "C"
