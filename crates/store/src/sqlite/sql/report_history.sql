SELECT sku, location, version, kind, on_hand_delta, committed_delta, on_hand, committed,
       shop, order_id, webhook_id, correlation_id, reason, at
FROM (
    SELECT *,
           sum(on_hand_delta) OVER moves AS on_hand,
           sum(committed_delta) OVER moves AS committed
    FROM ledger
    WHERE sku = ?1
    WINDOW moves AS (PARTITION BY location ORDER BY version)
)
ORDER BY at DESC, location, version DESC
LIMIT ?2
