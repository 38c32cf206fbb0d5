-- Whoever names an order makes it, at least a partial one of which only payments and other parts
-- were heard. So the few without an order are found by index, among many that have theirs.
SELECT count(*)
FROM (
    SELECT n.first_seen_at, n.state FROM payments AS n WHERE n.order_shop IS NULL
    UNION ALL
    SELECT n.first_seen_at, n.state
    FROM orders AS o
    JOIN payments AS n ON n.order_shop = o.shop AND n.order_id = o.order_id
    WHERE o.state = 'partial'
) AS p
WHERE p.first_seen_at < $1
  AND p.state IN ('authorised', 'captured', 'partially_refunded', 'disputed')
