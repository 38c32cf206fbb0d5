-- From the latest webhooks to their orders, and from those to their moves: the ledger is not kept in
-- the order of time.
WITH latest AS (
    SELECT DISTINCT shop, order_id
    FROM (
        SELECT shop, order_id FROM webhooks ORDER BY envelope_id DESC LIMIT $1
    ) AS w
    WHERE order_id IS NOT NULL
), hot AS (
    SELECT m.sku, m.location, count(*) AS moves,
           sum(greatest(m.committed_delta, 0))::bigint AS units
    FROM latest
    CROSS JOIN LATERAL (
        SELECT sku, location, committed_delta, at FROM ledger AS l
        WHERE l.shop = latest.shop AND l.order_id = latest.order_id
        LIMIT $2
    ) AS m
    WHERE m.at >= $3
    GROUP BY m.sku, m.location
    ORDER BY moves DESC, m.sku, m.location
    LIMIT $4
)
SELECT s.sku, s.location, s.on_hand, s.committed, s.floor, s.version, hot.moves, hot.units
FROM hot
JOIN stock AS s ON s.sku = hot.sku AND s.location = hot.location
ORDER BY hot.moves DESC, s.sku, s.location
