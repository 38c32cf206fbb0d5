-- Claims inbox rows for a locking batch: other lanes wait for them, nobody sees them.
INSERT INTO webhooks (
    webhook_id, shop, body_hash, envelope_id, topic, outcome, received_at, decided_at
)
SELECT
    webhook_id, shop, body_hash, '00000000-0000-0000-0000-000000000000', '', 'claimed',
    'epoch', 'epoch'
FROM unnest($1::text[], $2::text[], $3::bytea[]) AS t (webhook_id, shop, body_hash)
ORDER BY webhook_id COLLATE "C", shop COLLATE "C", body_hash
ON CONFLICT DO NOTHING
