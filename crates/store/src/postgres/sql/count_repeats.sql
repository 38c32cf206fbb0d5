-- Deliveries of webhooks that were decided before. Their rows are locked by now, in key order. Each is
-- looked up by whole keys, with its order or else with none: the key begins with that. A worker of an
-- earlier release, beside ours, may have put it at both: it counts at one.
WITH repeats AS MATERIALIZED (
    SELECT webhook_id, shop, body_hash, scope, count(*) AS times,
           array_agg(envelope_id ORDER BY envelope_id DESC) AS envelopes
    FROM unnest($1::text[], $2::text[], $3::bytea[], $4::uuid[], $5::text[])
        AS r (webhook_id, shop, body_hash, envelope_id, scope)
    GROUP BY webhook_id, shop, body_hash, scope
)
UPDATE webhooks AS w SET
    deliveries = w.deliveries + t.times,
    repeats = (t.envelopes || w.repeats)[1:16]
FROM (
    SELECT * FROM repeats
    UNION ALL
    SELECT webhook_id, shop, body_hash, '', times, envelopes FROM repeats AS r
    WHERE r.scope <> '' AND (
        SELECT w.scope FROM webhooks AS w
        WHERE w.shop = r.shop
          AND w.scope = r.scope
          AND w.webhook_id = r.webhook_id
          AND w.body_hash = r.body_hash
    ) IS NULL
) AS t
WHERE w.shop = t.shop
  AND w.scope = t.scope
  AND w.webhook_id = t.webhook_id
  AND w.body_hash = t.body_hash
