UPDATE webhooks SET detail = 'redacted'
WHERE (webhook_id, shop, body_hash) =
    (SELECT webhook_id, shop, body_hash FROM dead_letters WHERE id = ?1)
