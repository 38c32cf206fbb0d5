-- One that says it was replayed does not speak for a webhook that is dead.
SELECT 'P6', 'webhook ' || w.webhook_id || ' of ' || w.shop || ' is dead but has no dead letter'
FROM webhooks AS w
WHERE w.outcome = 'dead'
  AND NOT EXISTS (
    SELECT 1 FROM dead_letters AS d
    WHERE d.webhook_id = w.webhook_id AND d.shop = w.shop AND d.body_hash = w.body_hash
      AND d.state <> 'replayed'
  )
LIMIT $1
