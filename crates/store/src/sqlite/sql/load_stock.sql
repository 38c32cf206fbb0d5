-- The named items and those that the named orders hold, at all of their locations.
SELECT s.sku, s.location, s.on_hand, s.committed, s.floor, s.version
FROM (
    SELECT value AS sku FROM json_each(?1)
    UNION
    SELECT h.sku
    FROM json_each(?2) AS k
    CROSS JOIN order_stock AS h ON h.shop = k.value ->> 0 AND h.order_id = k.value ->> 1
) AS wanted
CROSS JOIN stock AS s ON s.sku = wanted.sku
