UPDATE webhooks AS w SET detail = 'redacted'
FROM dead_letters AS d
WHERE d.id = ANY ($1::uuid[])
  AND w.shop = d.shop
  AND w.scope IN (d.scope, '')
  AND w.webhook_id = d.webhook_id
  AND w.body_hash = d.body_hash
