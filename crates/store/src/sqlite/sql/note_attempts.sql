-- How often they waited on the retry ladder, of those few that did.
UPDATE webhooks SET attempts = value ->> 1
FROM json_each(?1)
WHERE webhook_id = value ->> '$[0][0]' AND shop = value ->> '$[0][1]'
  AND body_hash = value ->> '$[0][2]'
