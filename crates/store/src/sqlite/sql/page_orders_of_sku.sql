-- The ledger is keyed by item: the latest moves of each of its rows name the orders. Short ones may have
-- moved nothing; they have an index of their own.
WITH moved AS (
    SELECT l.shop, l.order_id, max(l.at) AS at
    FROM stock AS s
    -- The rows first, then the end of each one's ledger: SQLite keeps this order of a cross join.
    CROSS JOIN ledger AS l
    WHERE s.sku = ?1
      AND l.sku = s.sku AND l.location = s.location AND l.version > s.version - ?2
      AND l.order_id IS NOT NULL
    GROUP BY l.shop, l.order_id
    ORDER BY 3 DESC
    LIMIT ?4
), wanted AS (
    SELECT shop, order_id, first_seen_at AS at
    FROM (SELECT * FROM orders INDEXED BY orders_short WHERE short LIMIT ?3) AS short
    WHERE EXISTS (SELECT 1 FROM json_each(short.document, '$.short.demand') WHERE key = ?1)
    LIMIT ?4
)
SELECT o.shop, o.order_id, o.name, o.state, o.financial_status, o.fulfillment_status,
       o.first_seen_at
FROM (
    SELECT shop, order_id, max(at) AS at
    FROM (SELECT * FROM moved UNION ALL SELECT * FROM wanted) AS either
    GROUP BY shop, order_id
) AS found
JOIN orders AS o USING (shop, order_id)
ORDER BY found.at DESC, o.shop, o.order_id
LIMIT ?4
