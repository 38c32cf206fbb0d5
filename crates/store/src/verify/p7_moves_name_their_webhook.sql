SELECT 'P7', l.sku || ' at ' || l.location || ' version ' || l.version || ' names webhook '
    || l.webhook_id || ' of ' || l.shop || ', which is not in the inbox'
FROM ledger AS l
WHERE l.webhook_id IS NOT NULL
  AND NOT EXISTS (
    SELECT 1 FROM webhooks AS w WHERE w.webhook_id = l.webhook_id
  )
LIMIT $1
