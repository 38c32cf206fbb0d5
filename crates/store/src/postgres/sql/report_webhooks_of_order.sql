-- Of whichever shop: one after the other is found in the index, which begins with the shop, and the
-- order is looked up by whole keys under each. `OFFSET 0`: else a kept plan may join the other way round.
WITH RECURSIVE shops AS (
    (
        SELECT shop FROM webhooks
        WHERE order_id IS NOT NULL
        ORDER BY shop, order_id
        LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT w.shop FROM webhooks AS w
        WHERE w.shop > s.shop AND w.order_id IS NOT NULL
        ORDER BY w.shop, w.order_id
        LIMIT 1
    )
    FROM shops AS s
    WHERE s.shop IS NOT NULL
)
SELECT w.webhook_id, w.shop, encode(w.body_hash, 'hex'), w.envelope_id::text, w.topic, w.order_id,
       w.outcome, w.reason, w.detail, w.deliveries,
       (extract(epoch FROM w.received_at) * 1000000)::bigint,
       (extract(epoch FROM w.decided_at) * 1000000)::bigint, w.attempts::bigint
FROM shops AS s
CROSS JOIN LATERAL (
    SELECT * FROM webhooks
    WHERE shop = s.shop AND order_id = $1::text
    OFFSET 0
) AS w
WHERE $2::text IS NULL OR w.outcome = $2
ORDER BY w.envelope_id DESC
LIMIT $3
