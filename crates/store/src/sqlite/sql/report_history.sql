-- The newest moves of each row, and the row after each, counted back from how it is: a version is the
-- number of a row's moves, so however many came before, they are not read.
SELECT l.sku, l.location, l.version, l.kind, l.on_hand_delta, l.committed_delta,
       s.on_hand - coalesce(sum(l.on_hand_delta) OVER later, 0),
       s.committed - coalesce(sum(l.committed_delta) OVER later, 0),
       l.shop, l.order_id, l.webhook_id, l.correlation_id, l.reason,
       l.at
FROM stock AS s
CROSS JOIN ledger AS l ON l.sku = s.sku AND l.location = s.location AND l.version > s.version - ?2
WHERE s.sku = ?1
WINDOW later AS (
    PARTITION BY l.location ORDER BY l.version DESC
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
)
ORDER BY l.at DESC, l.location, l.version DESC
LIMIT ?2
