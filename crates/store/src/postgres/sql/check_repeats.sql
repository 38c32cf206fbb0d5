-- Locks, in key order, the inbox rows that exist already: those whose repeats are counted and those
-- that are replayed (without an envelope). An envelope that is known by now was counted by another
-- lane, which is a conflict.
WITH input AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::uuid[], $5::text[])
        WITH ORDINALITY AS t (webhook_id, shop, body_hash, envelope_id, scope, place)
), locked AS (
    SELECT w.webhook_id, w.shop, w.body_hash, w.envelope_id, w.repeats
    FROM webhooks AS w
    WHERE (w.shop, w.scope, w.webhook_id, w.body_hash) IN (
        SELECT shop, scope, webhook_id, body_hash FROM input
        UNION
        SELECT shop, '', webhook_id, body_hash FROM input
    )
    ORDER BY w.webhook_id, w.shop, w.body_hash
    FOR NO KEY UPDATE OF w
)
SELECT place, set_config('onhand.conflict', 'yes', true)
FROM input
JOIN locked USING (webhook_id, shop, body_hash)
WHERE input.envelope_id = locked.envelope_id OR input.envelope_id = ANY (locked.repeats)
