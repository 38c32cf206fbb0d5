-- Locks the inbox rows that exist, in key order, for a locking batch.
SELECT FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[])
    AS t (webhook_id, shop, body_hash, scope)
JOIN webhooks AS w ON w.shop = t.shop
    AND w.scope IN (t.scope, '')
    AND w.webhook_id = t.webhook_id
    AND w.body_hash = t.body_hash
ORDER BY w.webhook_id, w.shop, w.body_hash
FOR NO KEY UPDATE OF w
