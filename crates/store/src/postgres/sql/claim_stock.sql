-- As load_stock, locked in key order.
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
    SELECT s.document ->> 'sku' FROM sightings AS s
    JOIN unnest($4::text[], $5::text[]) AS t (shop, variant) ON s.shop = t.shop AND s.id = t.variant
    WHERE s.kind = 'variant' AND s.place = ''
))
ORDER BY s.sku, s.location
FOR NO KEY UPDATE OF s
