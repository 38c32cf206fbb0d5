-- The latest 16 envelopes are remembered.
UPDATE webhooks SET
    deliveries = deliveries + ?4,
    repeats = (
        SELECT json_group_array(envelope) FROM (
            SELECT value AS envelope FROM json_each(?5)
            UNION ALL
            SELECT value FROM json_each(repeats)
            LIMIT 16
        )
    )
WHERE webhook_id = ?1 AND shop = ?2 AND body_hash = ?3
