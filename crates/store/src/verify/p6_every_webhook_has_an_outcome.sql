SELECT 'P6', 'webhook ' || webhook_id || ' of ' || shop || ' has the outcome ' || outcome
FROM webhooks
WHERE outcome NOT IN ('applied', 'unchanged', 'superseded', 'short', 'ignored', 'dead')
LIMIT $1
