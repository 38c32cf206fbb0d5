-- What the named variants stand for: as an operator says, and as the platform's catalogue does.
SELECT l.shop, l.variant, l.sku, l.units, true
FROM json_each(?1) AS k
CROSS JOIN listings AS l ON l.shop = k.value ->> 0 AND l.variant = k.value ->> 1
UNION ALL
SELECT s.shop, s.id, s.document ->> 'sku', 1, false
FROM json_each(?1) AS k
CROSS JOIN sightings AS s
    ON s.shop = k.value ->> 0 AND s.kind = 'variant' AND s.id = k.value ->> 1 AND s.place = ''
WHERE NOT s.gone AND s.document ->> 'sku' IS NOT NULL
