-- What the release after this one writes into a column of its own, for the test of rolling upgrades.
-- The rows are those that this transaction has inserted.
UPDATE webhooks AS w SET decided_by = 'next'
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[])
    AS t (webhook_id, shop, body_hash, scope)
WHERE w.shop = t.shop
  AND w.scope = t.scope
  AND w.webhook_id = t.webhook_id
  AND w.body_hash = t.body_hash
