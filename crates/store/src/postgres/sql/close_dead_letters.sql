-- The dead letters of webhooks that were replayed and are dead no longer: their bodies have done
-- all they were kept for.
UPDATE dead_letters AS d SET
    state = 'replayed', closed_at = now(), closed_note = t.outcome, raw = ''
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[])
    AS t (webhook_id, shop, body_hash, outcome)
WHERE d.webhook_id = t.webhook_id AND d.shop = t.shop AND d.body_hash = t.body_hash
  AND t.outcome <> 'dead'
