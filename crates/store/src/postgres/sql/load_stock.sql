-- The named items and those that the named orders hold, at all of their locations.
SELECT s.sku, s.location, s.on_hand, s.committed, s.floor, s.version
FROM stock AS s
WHERE s.sku = ANY (ARRAY(
    SELECT unnest($1::text[])
    UNION
    SELECT h.sku FROM order_stock AS h
    JOIN unnest($2::text[], $3::text[]) AS t (shop, order_id) USING (shop, order_id)
))
