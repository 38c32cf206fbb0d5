-- From the latest webhooks to their orders, and from those to their moves: the ledger is not kept in
-- the order of time.
WITH latest AS MATERIALIZED (
    SELECT DISTINCT shop, order_id
    FROM (
        SELECT shop, order_id FROM webhooks ORDER BY envelope_id DESC LIMIT ?1
    )
    WHERE order_id IS NOT NULL
), moves AS (
    SELECT l.sku, l.location, l.committed_delta, l.at
    FROM latest
    CROSS JOIN ledger AS l ON l.shop = latest.shop AND l.order_id = latest.order_id
    LIMIT ?1 * ?2
), hot AS (
    SELECT sku, location, count(*) AS moves, sum(max(committed_delta, 0)) AS units
    FROM moves
    WHERE at >= ?3
    GROUP BY sku, location
    ORDER BY moves DESC, sku, location
    LIMIT ?4
)
SELECT s.sku, s.location, s.on_hand, s.committed, s.floor, s.version, hot.moves, hot.units
FROM hot
JOIN stock AS s ON s.sku = hot.sku AND s.location = hot.location
ORDER BY hot.moves DESC, s.sku, s.location
