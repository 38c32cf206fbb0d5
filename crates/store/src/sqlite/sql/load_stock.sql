-- The named items, those of the named orders' lines (so all that an order can hold) and those that
-- the named variants stand for, at all of their locations.
SELECT s.sku, s.location, s.on_hand, s.committed, s.floor, s.version
FROM (
    SELECT value AS sku FROM json_each(?1)
    UNION
    SELECT part.value ->> 'sku'
    FROM json_each(?2) AS k
    CROSS JOIN orders AS o ON o.shop = k.value ->> 0 AND o.order_id = k.value ->> 1
    CROSS JOIN json_each(o.document, '$.lines') AS line
    CROSS JOIN json_each(line.value, '$.parts') AS part
    UNION
    SELECT l.sku
    FROM json_each(?3) AS k
    CROSS JOIN listings AS l ON l.shop = k.value ->> 0 AND l.variant = k.value ->> 1
    UNION
    SELECT s.document ->> 'sku'
    FROM json_each(?3) AS k
    CROSS JOIN sightings AS s
        ON s.shop = k.value ->> 0 AND s.kind = 'variant' AND s.id = k.value ->> 1 AND s.place = ''
) AS wanted
CROSS JOIN stock AS s ON s.sku = wanted.sku
