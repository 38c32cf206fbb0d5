-- Deliveries of webhooks that were decided before. Their rows are locked by now, in key order.
UPDATE webhooks AS w SET
    deliveries = w.deliveries + t.times,
    repeats = (t.envelopes || w.repeats)[1:16]
FROM (
    SELECT webhook_id, shop, body_hash, scope, count(*) AS times,
           array_agg(envelope_id ORDER BY envelope_id DESC) AS envelopes
    FROM unnest($1::text[], $2::text[], $3::bytea[], $4::uuid[], $5::text[])
        AS r (webhook_id, shop, body_hash, envelope_id, scope)
    GROUP BY webhook_id, shop, body_hash, scope
) AS t
CROSS JOIN LATERAL (SELECT t.scope UNION SELECT '') AS lies (scope)
WHERE w.shop = t.shop
  AND w.scope = lies.scope
  AND w.webhook_id = t.webhook_id
  AND w.body_hash = t.body_hash
