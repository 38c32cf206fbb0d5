-- What new orders hold.
INSERT INTO order_stock (
    shop, order_id, sku, location, committed, shipped, returned, uncovered
)
SELECT
    unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[]),
    unnest($5::bigint[]), unnest($6::bigint[]), unnest($7::bigint[]), unnest($8::bigint[])
