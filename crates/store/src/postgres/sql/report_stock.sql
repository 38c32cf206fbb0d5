SELECT sku, location, on_hand, committed, floor, version
FROM stock
WHERE cardinality($1::text[]) = 0 OR sku = ANY ($1)
ORDER BY sku, location
