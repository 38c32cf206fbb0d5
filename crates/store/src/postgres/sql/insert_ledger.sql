INSERT INTO ledger (
    sku, location, version, kind, on_hand_delta, committed_delta,
    shop, order_id, webhook_id, correlation_id, reason, at
)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[],
    $7::text[], $8::text[], $9::text[], $10::uuid[], $11::text[], $12::timestamptz[]
)
