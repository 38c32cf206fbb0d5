-- ④ of a commit: orders that were not there, in key order.
INSERT INTO orders (
    shop, order_id, version, state, short,
    name, financial_status, fulfillment_status, document
)
SELECT
    unnest($1::text[]), unnest($2::text[]), unnest($3::bigint[]), unnest($4::text[]),
    unnest($5::boolean[]), unnest($6::text[]), unnest($7::text[]), unnest($8::text[]),
    unnest($9::jsonb[])
