SELECT sku, location, on_hand, committed, floor, version
FROM stock
WHERE (sku, location) > (?1, ?2) AND sku < ?3
ORDER BY sku, location
LIMIT ?4
