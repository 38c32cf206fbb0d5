SELECT sku, location, on_hand, committed, floor, version
FROM stock
WHERE json_array_length(?1) = 0 OR sku IN (SELECT value FROM json_each(?1))
ORDER BY sku, location
