-- What the named variants stand for: as an operator says, and as the platform's catalogue does.
SELECT l.shop, l.variant, l.sku, l.units, true
FROM listings AS l
JOIN unnest($1::text[], $2::text[]) AS t (shop, variant) USING (shop, variant)
UNION ALL
SELECT s.shop, s.id, s.document ->> 'sku', 1, false
FROM sightings AS s
JOIN unnest($1::text[], $2::text[]) AS t (shop, variant) ON s.shop = t.shop AND s.id = t.variant
WHERE s.kind = 'variant' AND s.place = '' AND NOT s.gone AND s.document ->> 'sku' IS NOT NULL
  -- Its product is gone, or has shown since all that it still has.
  AND NOT EXISTS (
    SELECT FROM sightings AS p
    WHERE p.shop = s.shop AND p.kind = 'product' AND p.id = s.document ->> 'product'
      AND p.place = '' AND (p.seen_at > s.seen_at OR (p.gone AND p.seen_at = s.seen_at))
  )
