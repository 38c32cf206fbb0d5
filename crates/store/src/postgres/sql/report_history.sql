SELECT sku, location, version, kind, on_hand_delta, committed_delta, on_hand, committed,
       shop, order_id, webhook_id, correlation_id::text, reason,
       (extract(epoch FROM at) * 1000000)::bigint
FROM (
    SELECT *,
           (sum(on_hand_delta) OVER moves)::bigint AS on_hand,
           (sum(committed_delta) OVER moves)::bigint AS committed
    FROM ledger
    WHERE sku = $1
    WINDOW moves AS (PARTITION BY location ORDER BY version)
) AS l
ORDER BY at DESC, location, version DESC
LIMIT $2
