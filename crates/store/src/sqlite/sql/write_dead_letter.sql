-- One that dies again opens again, with its body, but for one that was redacted while it was decided:
-- that stays as it is, and its webhook, which this very transaction wrote, quotes nothing of the body.
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
    raw = excluded.raw,
    state = 'open',
    closed_at = NULL,
    closed_note = NULL
WHERE detail <> 'redacted';

UPDATE webhooks SET detail = 'redacted'
WHERE webhook_id = ?3 AND shop = ?2 AND body_hash = ?4
  AND EXISTS (SELECT 1 FROM dead_letters WHERE id = ?1 AND detail = 'redacted')
