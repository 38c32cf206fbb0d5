-- Of whichever shop: one after the other is found in the index, which begins with the shop, and the
-- order is looked up by whole keys under each. `CROSS`: in this order.
WITH RECURSIVE shops AS (
    SELECT * FROM (
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
SELECT w.webhook_id, w.shop, w.body_hash, w.envelope_id, w.topic, w.order_id,
       w.outcome, w.reason, w.detail, w.deliveries, w.received_at, w.decided_at, w.attempts
FROM shops AS s
CROSS JOIN webhooks AS w
WHERE w.shop = s.shop AND w.order_id = ?3
  AND (?4 IS NULL OR w.outcome = ?4)
ORDER BY +w.envelope_id DESC
LIMIT ?5
