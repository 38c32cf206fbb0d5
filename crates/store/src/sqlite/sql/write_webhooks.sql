-- The conflict is with the dead row that a replay decides again; anything else was checked.
-- What it waited for is of when it was first decided.
INSERT INTO webhooks (
    webhook_id, shop, body_hash, envelope_id, topic, order_id,
    outcome, reason, detail, received_at, decided_at, attempts
)
SELECT
    value ->> '$[0][0]', value ->> '$[0][1]', value ->> '$[0][2]', value ->> 1, value ->> 2,
    value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8, value ->> 9
FROM json_each(?1)
WHERE true
ON CONFLICT (webhook_id, shop, body_hash) DO UPDATE SET
    envelope_id = excluded.envelope_id, topic = excluded.topic, order_id = excluded.order_id,
    outcome = excluded.outcome, reason = excluded.reason, detail = excluded.detail,
    received_at = excluded.received_at, decided_at = excluded.decided_at
