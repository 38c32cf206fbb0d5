-- ② of a commit: deliveries of webhooks that were decided before, each at the row that was read, in key
-- order. An envelope that is known by now was counted by another lane: a conflict. So is a row that is
-- gone, and what is inserted in its place goes with the transaction. An insert that updates is the one
-- statement that locks in the order of its input, looks a row up once, and sees it as it is by then.
WITH input AS (
    SELECT webhook_id, shop, body_hash, scope, min(place) AS place, count(*) AS times,
           array_agg(envelope_id ORDER BY envelope_id DESC) AS envelopes
    FROM unnest($1::text[], $2::text[], $3::bytea[], $4::uuid[], $5::text[])
        WITH ORDINALITY AS t (webhook_id, shop, body_hash, envelope_id, scope, place)
    GROUP BY webhook_id, shop, body_hash, scope
), written AS (
    INSERT INTO webhooks AS w (
        webhook_id, shop, body_hash, scope, envelope_id, topic, outcome,
        received_at, decided_at, deliveries, repeats
    )
    SELECT webhook_id, shop, body_hash, scope, envelopes[1], '', 'duplicate',
           now(), now(), times, envelopes
    FROM input
    ORDER BY webhook_id COLLATE "C", shop COLLATE "C", body_hash
    ON CONFLICT (shop, scope, webhook_id, body_hash) DO UPDATE SET
        deliveries = w.deliveries + excluded.deliveries,
        repeats = (excluded.repeats || w.repeats)[1:16]
    WHERE w.envelope_id <> ALL (excluded.repeats) AND NOT w.repeats && excluded.repeats
    RETURNING webhook_id, shop, body_hash, deliveries
)
SELECT place, set_config('onhand.conflict', 'yes', true)
FROM input AS i
WHERE NOT EXISTS (
    SELECT FROM written AS w
    WHERE w.webhook_id = i.webhook_id AND w.shop = i.shop AND w.body_hash = i.body_hash
      -- One that was there has been delivered more often than this.
      AND w.deliveries > i.times
)
