-- How often they waited on the retry ladder, of those few that did. The rows are those that this
-- transaction has inserted.
UPDATE webhooks AS w SET attempts = t.attempts
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::smallint[])
    AS t (webhook_id, shop, body_hash, scope, attempts)
WHERE w.shop = t.shop
  AND w.scope = t.scope
  AND w.webhook_id = t.webhook_id
  AND w.body_hash = t.body_hash
