-- ① of a redaction: the webhooks of these dead letters, in key order.
SELECT FROM webhooks AS w
JOIN dead_letters AS d USING (webhook_id, shop, body_hash)
WHERE d.id = ANY ($1::uuid[])
ORDER BY w.webhook_id, w.shop, w.body_hash
FOR NO KEY UPDATE OF w
