WITH redacted AS (
    UPDATE dead_letters SET
        raw = '',
        detail = 'redacted',
        closed_at = coalesce(closed_at, now()),
        closed_note = CASE WHEN state = 'open' THEN 'redacted' ELSE closed_note END,
        state = CASE WHEN state = 'open' THEN 'discarded' ELSE state END
    WHERE id = ANY ($1::uuid[])
    RETURNING webhook_id, shop, body_hash
)
UPDATE webhooks AS w SET detail = 'redacted'
FROM redacted AS r
WHERE w.webhook_id = r.webhook_id AND w.shop = r.shop AND w.body_hash = r.body_hash
