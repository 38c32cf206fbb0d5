-- Over all of both at once: a search for each move would be one among millions, millions of times.
SELECT 'P7', l.sku || ' at ' || l.location || ' version ' || l.version || ' names webhook '
    || l.webhook_id || ' of ' || l.shop || ', which is not in the inbox'
FROM ledger AS l
LEFT JOIN (SELECT DISTINCT webhook_id AS id FROM webhooks) AS w ON w.id = l.webhook_id
WHERE l.webhook_id IS NOT NULL AND w.id IS NULL
LIMIT $1
