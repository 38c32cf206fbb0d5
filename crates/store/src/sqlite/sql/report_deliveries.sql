SELECT webhook_id, sum(deliveries)
FROM webhooks
WHERE webhook_id IN (SELECT value FROM json_each(?1))
GROUP BY webhook_id
