-- ② of a commit: the inbox rows that are decided again, locked in key order; with their order or with
-- none. Before the repeats, whose rows are locked as they are counted: webhooks are replayed one by one,
-- so that no two batches can have both the other way round.
WITH input AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[])
        AS t (webhook_id, shop, body_hash, scope)
)
SELECT FROM webhooks AS w
WHERE (w.shop, w.scope, w.webhook_id, w.body_hash) IN (
    SELECT shop, scope, webhook_id, body_hash FROM input
    UNION
    SELECT shop, '', webhook_id, body_hash FROM input
)
ORDER BY w.webhook_id, w.shop, w.body_hash
FOR NO KEY UPDATE OF w
