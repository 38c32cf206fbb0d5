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
  -- Its product is gone, or has shown since all that it still has.
  AND NOT EXISTS (
    SELECT 1 FROM sightings AS p
    WHERE p.shop = s.shop AND p.kind = 'product' AND p.id = s.document ->> 'product'
      AND p.place = '' AND (p.seen_at > s.seen_at OR (p.gone AND p.seen_at = s.seen_at))
  )
