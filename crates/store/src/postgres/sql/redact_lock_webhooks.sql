-- ② of a redaction: the webhooks of these dead letters, in key order.
SELECT FROM webhooks AS w
JOIN (
    SELECT id, shop, webhook_id, body_hash, scope FROM dead_letters
    UNION ALL
    SELECT id, shop, webhook_id, body_hash, '' FROM dead_letters WHERE scope <> ''
) AS d ON w.shop = d.shop
    AND w.scope = d.scope
    AND w.webhook_id = d.webhook_id
    AND w.body_hash = d.body_hash
WHERE d.id = ANY ($1::uuid[])
ORDER BY w.webhook_id, w.shop, w.body_hash
FOR NO KEY UPDATE OF w
