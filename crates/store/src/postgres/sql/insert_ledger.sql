INSERT INTO ledger (
    sku, location, version, kind, on_hand_delta, committed_delta,
    shop, order_id, webhook_id, correlation_id, reason, at
)
SELECT
    unnest($1::text[]), unnest($2::text[]), unnest($3::bigint[]), unnest($4::text[]),
    unnest($5::bigint[]), unnest($6::bigint[]), unnest($7::text[]), unnest($8::text[]),
    unnest($9::text[]), unnest($10::uuid[]), unnest($11::text[]), unnest($12::timestamptz[])
