-- At all locations of the items.
SELECT s.sku, s.location, s.on_hand, s.committed, s.floor, s.version
FROM json_each(?1) AS wanted
CROSS JOIN stock AS s ON s.sku = wanted.value
