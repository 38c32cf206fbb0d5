-- The last row that is looked through; none where there are fewer.
SELECT envelope_id FROM webhooks
WHERE envelope_id < ?1
ORDER BY webhooks.envelope_id DESC
LIMIT 1 OFFSET ?2 - 1
