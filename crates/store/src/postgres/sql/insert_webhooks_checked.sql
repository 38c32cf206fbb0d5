-- As insert_webhooks, and a row that is there already is a conflict, by name.
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
    INSERT INTO webhooks (
        webhook_id, shop, body_hash, envelope_id, topic, order_id,
        outcome, reason, detail, received_at, decided_at, scope, attempts
    )
    SELECT
        webhook_id, shop, body_hash, envelope_id, topic, order_id,
        outcome, reason, detail, received_at, decided_at, scope, attempts
    FROM input
    ORDER BY place
    ON CONFLICT DO NOTHING
    RETURNING webhook_id, shop, body_hash
)
SELECT place, set_config('onhand.conflict', 'yes', true)
FROM input
WHERE NOT EXISTS (
    SELECT FROM written AS w
    WHERE w.webhook_id = input.webhook_id
      AND w.shop = input.shop
      AND w.body_hash = input.body_hash
)
