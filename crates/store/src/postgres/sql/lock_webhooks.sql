-- Locks the inbox rows that exist, in key order, for a locking batch.
SELECT FROM webhooks AS w
JOIN unnest($1::text[], $2::text[], $3::bytea[]) AS t (webhook_id, shop, body_hash)
    USING (webhook_id, shop, body_hash)
ORDER BY w.webhook_id, w.shop, w.body_hash
FOR NO KEY UPDATE OF w
