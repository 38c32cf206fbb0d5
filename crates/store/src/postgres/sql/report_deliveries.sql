-- `|| ''`: the index of ids would be read once for each, and this reads the table once for all.
SELECT webhook_id, sum(deliveries)::bigint
FROM webhooks
WHERE webhook_id || '' = ANY ($1::text[])
GROUP BY webhook_id
