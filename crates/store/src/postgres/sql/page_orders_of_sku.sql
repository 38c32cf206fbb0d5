-- The ledger is keyed by item: the latest moves of each of its rows name the orders. Short ones may have
-- moved nothing; they have an index of their own.
WITH moved AS (
    SELECT l.shop, l.order_id, max(l.at) AS at
    FROM stock AS s
    CROSS JOIN LATERAL (
        SELECT shop, order_id, at FROM ledger
        -- A version is the number of a row's moves: none before these is read, whatever the plan.
        WHERE sku = s.sku AND location = s.location AND version > s.version - $2
        ORDER BY version DESC
        LIMIT $2
    ) AS l
    WHERE s.sku = $1 AND l.order_id IS NOT NULL
    GROUP BY l.shop, l.order_id
    ORDER BY 3 DESC
    LIMIT $4
), wanted AS (
    SELECT shop, order_id, first_seen_at AS at
    FROM (SELECT * FROM orders WHERE short LIMIT $3) AS short
    WHERE document #> '{short,demand}' ? $1
    LIMIT $4
)
SELECT o.shop, o.order_id, o.name, o.state, o.financial_status, o.fulfillment_status,
       (extract(epoch FROM o.first_seen_at) * 1000000)::bigint
FROM (
    SELECT shop, order_id, max(at) AS at
    FROM (SELECT * FROM moved UNION ALL SELECT * FROM wanted) AS either
    GROUP BY shop, order_id
) AS found
JOIN orders AS o USING (shop, order_id)
ORDER BY found.at DESC, o.shop, o.order_id
LIMIT $4
