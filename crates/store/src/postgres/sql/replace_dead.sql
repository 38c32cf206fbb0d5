-- ② for replays: a dead row is decided again; any other row stays as it is, which is a conflict.
WITH input AS (
    SELECT * FROM unnest(
        $1::text[], $2::text[], $3::bytea[], $4::uuid[], $5::text[], $6::text[],
        $7::text[], $8::text[], $9::text[], $10::timestamptz[], $11::timestamptz[],
        $12::text[], $13::smallint[]
    ) WITH ORDINALITY AS t (
        webhook_id, shop, body_hash, envelope_id, topic, order_id,
        outcome, reason, detail, received_at, decided_at, scope, attempts, place
    )
), written AS (
    UPDATE webhooks AS w SET
        envelope_id = i.envelope_id, topic = i.topic, order_id = i.order_id,
        outcome = i.outcome, reason = i.reason, detail = i.detail,
        received_at = i.received_at, decided_at = i.decided_at
    -- With its order or with none: whole keys. The rows are locked by now.
    FROM (
        SELECT * FROM (
            SELECT *, scope AS lies FROM input
            UNION ALL
            SELECT *, '' FROM input WHERE scope <> ''
        ) AS t
        CROSS JOIN LATERAL (
            SELECT FROM webhooks AS d
            WHERE d.shop = t.shop AND d.scope = t.lies AND d.webhook_id = t.webhook_id
              AND d.body_hash = t.body_hash AND d.outcome = 'dead'
            OFFSET 0
        ) AS dead
    ) AS i
    WHERE w.shop = i.shop
      AND w.scope = i.lies
      AND w.webhook_id = i.webhook_id
      AND w.body_hash = i.body_hash
    RETURNING i.place
)
SELECT place, set_config('onhand.conflict', 'yes', true)
FROM input
WHERE place NOT IN (SELECT place FROM written)
