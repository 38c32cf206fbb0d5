-- The named items, those of the named orders' lines (so all that an order can hold) and those that
-- the named variants stand for, at all of their locations; in key order.
SELECT s.sku, s.location, s.on_hand, s.committed, s.floor, s.version
FROM stock AS s
WHERE s.sku = ANY (ARRAY(
    SELECT unnest($1::text[])
    UNION
    SELECT jsonb_path_query(o.document, '$.lines.*.parts[*].sku') #>> '{}' FROM orders AS o
    JOIN unnest($2::text[], $3::text[]) AS t (shop, order_id) USING (shop, order_id)
    UNION
    SELECT l.sku FROM listings AS l
    JOIN unnest($4::text[], $5::text[]) AS t (shop, variant) USING (shop, variant)
    UNION
    SELECT v.sku FROM unnest($4::text[], $5::text[]) AS t (shop, variant)
    -- OFFSET 0: looked up by whole key, once per variant, and never the catalogue from end to end.
    CROSS JOIN LATERAL (
        SELECT s.document ->> 'sku' AS sku FROM sightings AS s
        WHERE s.shop = t.shop AND s.kind = 'variant' AND s.id = t.variant AND s.place = ''
        OFFSET 0
    ) AS v
))
ORDER BY s.sku, s.location
