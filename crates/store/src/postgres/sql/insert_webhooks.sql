-- ② of a commit: the inbox rows, as they lie in the inbox: ever more to the right.
INSERT INTO webhooks (
    webhook_id, shop, body_hash, envelope_id, topic, order_id,
    outcome, reason, detail, received_at, decided_at, scope, attempts
)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::bytea[], $4::uuid[], $5::text[], $6::text[],
    $7::text[], $8::text[], $9::text[], $10::timestamptz[], $11::timestamptz[],
    $12::text[], $13::smallint[]
)
