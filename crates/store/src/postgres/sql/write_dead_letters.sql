-- One that dies again opens again, with its body; what was removed on request stays removed.
INSERT INTO dead_letters AS d (
    id, shop, webhook_id, body_hash, topic, reason, detail, attempts, received_at, died_at, raw
)
SELECT * FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::text[], $7::text[],
    $8::bigint[], $9::timestamptz[], $10::timestamptz[], $11::bytea[]
)
ON CONFLICT (id) DO UPDATE SET
    reason = excluded.reason,
    detail = excluded.detail,
    attempts = excluded.attempts,
    died_at = excluded.died_at,
    deaths = d.deaths + 1,
    raw = CASE WHEN d.detail = 'redacted' THEN d.raw ELSE excluded.raw END,
    state = 'open',
    closed_at = NULL,
    closed_note = NULL
