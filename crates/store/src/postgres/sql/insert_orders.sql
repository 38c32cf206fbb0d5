-- ④ of a commit: orders that were not there, in key order.
INSERT INTO orders (
    shop, order_id, version, state, short,
    name, financial_status, fulfillment_status, document
)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::bigint[], $4::text[], $5::boolean[],
    $6::text[], $7::text[], $8::text[], $9::jsonb[]
)
