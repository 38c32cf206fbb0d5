-- What the named variants stand for: as an operator says, and as the platform's catalogue does.
SELECT l.shop, l.variant, l.sku, l.units, true
FROM listings AS l
JOIN unnest($1::text[], $2::text[]) AS t (shop, variant) USING (shop, variant)
UNION ALL
SELECT s.shop, s.id, s.document ->> 'sku', 1, false
FROM unnest($1::text[], $2::text[]) AS t (shop, variant)
-- OFFSET 0: looked up by whole key, once per variant, and never the catalogue from end to end.
CROSS JOIN LATERAL (
    SELECT * FROM sightings AS s
    WHERE s.shop = t.shop AND s.kind = 'variant' AND s.id = t.variant AND s.place = ''
    OFFSET 0
) AS s
WHERE NOT s.gone AND s.document ->> 'sku' IS NOT NULL
  -- Unless its product is gone, or has shown since all that it still has.
  AND (
    SELECT p.seen_at > s.seen_at OR (p.gone AND p.seen_at = s.seen_at) FROM sightings AS p
    WHERE p.shop = s.shop AND p.kind = 'product' AND p.id = s.document ->> 'product'
      AND p.place = ''
  ) IS NOT TRUE
