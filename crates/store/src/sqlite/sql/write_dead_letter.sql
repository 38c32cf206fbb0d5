-- One that dies again opens again, with its body; what was removed on request stays removed.
INSERT INTO dead_letters (
    id, shop, webhook_id, body_hash, topic, reason, detail, attempts, received_at, died_at, raw
)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
ON CONFLICT (id) DO UPDATE SET
    reason = excluded.reason,
    detail = excluded.detail,
    attempts = excluded.attempts,
    died_at = excluded.died_at,
    deaths = deaths + 1,
    raw = CASE WHEN detail = 'redacted' THEN raw ELSE excluded.raw END,
    state = 'open',
    closed_at = NULL,
    closed_note = NULL
