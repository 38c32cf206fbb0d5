-- The dead letters of webhooks that were replayed and are dead no longer: their bodies have done
-- all they were kept for.
UPDATE dead_letters AS d SET
    state = 'replayed', closed_at = now(), closed_note = t.outcome, raw = ''
FROM (
    SELECT l.id, t.outcome
    FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[])
        AS t (webhook_id, shop, body_hash, outcome)
    -- By the index of webhooks, once for each: that of shops would go through all of a shop.
    CROSS JOIN LATERAL (
        SELECT id FROM dead_letters AS l
        WHERE l.webhook_id = t.webhook_id
          AND (l.shop, l.body_hash) IS NOT DISTINCT FROM (t.shop, t.body_hash)
        OFFSET 0
    ) AS l
    WHERE t.outcome <> 'dead'
) AS t
WHERE d.id = t.id
