DELETE FROM listings AS l
USING unnest($1::text[], $2::text[]) AS t (shop, variant)
WHERE l.shop = t.shop AND l.variant = t.variant
