-- What new orders hold.
INSERT INTO order_stock (
    shop, order_id, sku, location, committed, shipped, returned, uncovered
)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[],
    $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[]
)
