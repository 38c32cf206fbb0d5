-- By the keys of the orders that the newest moves name: orders are not kept by what they hold.
WITH moved AS MATERIALIZED (
    SELECT DISTINCT shop, order_id
    FROM (
        SELECT shop, order_id FROM ledger
        WHERE sku = ?1 AND location = ?2
        ORDER BY version DESC
        LIMIT ?3
    )
    WHERE order_id IS NOT NULL
)
SELECT s.shop, s.order_id, s.committed
FROM moved
CROSS JOIN order_stock AS s
    ON s.shop = moved.shop AND s.order_id = moved.order_id AND s.sku = ?1 AND s.location = ?2
WHERE s.committed > 0
ORDER BY s.committed DESC, s.shop, s.order_id
LIMIT ?4
