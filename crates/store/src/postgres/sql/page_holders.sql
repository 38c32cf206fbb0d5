-- By the keys of the orders that the newest moves name: orders are not kept by what they hold.
SELECT o.shop, o.order_id, o.committed
FROM (
    SELECT DISTINCT shop, order_id
    FROM (
        SELECT shop, order_id FROM ledger
        WHERE sku = $1 AND location = $2
        ORDER BY version DESC
        LIMIT $3
    ) AS newest
    WHERE order_id IS NOT NULL
) AS moved
CROSS JOIN LATERAL (
    SELECT shop, order_id, committed FROM order_stock AS s
    WHERE s.shop = moved.shop AND s.order_id = moved.order_id AND s.sku = $1 AND s.location = $2
    LIMIT 1
) AS o
WHERE o.committed > 0
ORDER BY o.committed DESC, o.shop, o.order_id
LIMIT $4
