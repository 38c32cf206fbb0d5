-- One that dies again opens again, with its body, but for one that was redacted while it was decided:
-- that stays as it is, and its webhook, which this very transaction wrote, quotes nothing of the body.
WITH input AS (
    SELECT * FROM unnest(
        $1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::text[], $7::text[],
        $8::bigint[], $9::timestamptz[], $10::timestamptz[], $11::bytea[], $12::text[]
    ) AS t (
        id, shop, webhook_id, body_hash, topic, reason, detail, attempts, received_at, died_at, raw,
        scope
    )
), written AS (
    INSERT INTO dead_letters AS d (
        id, shop, webhook_id, body_hash, topic, reason, detail, attempts, received_at, died_at, raw,
        scope
    )
    SELECT * FROM input
    ON CONFLICT (id) DO UPDATE SET
        reason = excluded.reason,
        detail = excluded.detail,
        attempts = excluded.attempts,
        died_at = excluded.died_at,
        deaths = d.deaths + 1,
        raw = excluded.raw,
        scope = coalesce(nullif(excluded.scope, ''), d.scope),
        state = 'open',
        closed_at = NULL,
        closed_note = NULL
    WHERE d.detail <> 'redacted'
)
UPDATE webhooks AS w SET detail = 'redacted'
FROM (
    SELECT i.shop, lies.scope, i.webhook_id, i.body_hash
    FROM input AS i
    CROSS JOIN LATERAL (
        SELECT d.scope FROM dead_letters AS d WHERE d.id = i.id AND d.detail = 'redacted' OFFSET 0
    ) AS d
    CROSS JOIN LATERAL (SELECT i.scope UNION SELECT d.scope UNION SELECT '') AS lies (scope)
    OFFSET 0
) AS i
WHERE w.shop = i.shop
  AND w.scope = i.scope
  AND w.webhook_id = i.webhook_id
  AND w.body_hash = i.body_hash
