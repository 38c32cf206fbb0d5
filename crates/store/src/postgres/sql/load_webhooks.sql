-- With its order or, where it was not understood at first, with what names none. Two whole keys, and
-- not one with a choice in it: of that the index would serve the beginning only.
WITH input AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[])
        AS t (webhook_id, shop, body_hash, scope)
)
SELECT w.webhook_id, w.shop, w.body_hash, w.outcome, w.envelope_id, w.repeats
FROM (
    SELECT * FROM input
    UNION ALL
    SELECT webhook_id, shop, body_hash, '' FROM input WHERE scope <> ''
) AS t
JOIN webhooks AS w USING (shop, scope, webhook_id, body_hash)
