SELECT w.webhook_id, w.shop, w.body_hash, w.outcome, w.envelope_id, w.repeats
FROM webhooks AS w
JOIN unnest($1::text[], $2::text[], $3::bytea[]) AS t (webhook_id, shop, body_hash)
    USING (webhook_id, shop, body_hash)
