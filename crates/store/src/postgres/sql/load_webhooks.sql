-- With its order or, where it was not understood at first, with what names none.
SELECT w.webhook_id, w.shop, w.body_hash, w.outcome, w.envelope_id, w.repeats
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[]) AS t (webhook_id, shop, body_hash, scope)
JOIN webhooks AS w ON w.shop = t.shop
    AND w.scope IN (t.scope, '')
    AND w.webhook_id = t.webhook_id
    AND w.body_hash = t.body_hash
