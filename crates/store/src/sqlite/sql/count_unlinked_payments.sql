-- Whoever names an order makes it, at least a partial one of which only payments and other parts
-- were heard. So the few without an order are found by index, among many that have theirs. Of an
-- account that takes other money, too, there may be millions: no more are counted than are shown.
SELECT count(*)
FROM (
    SELECT 1
    FROM (
        SELECT n.first_seen_at, n.state FROM payments AS n WHERE n.order_shop IS NULL
        UNION ALL
        SELECT n.first_seen_at, n.state
        FROM orders AS o
        JOIN payments AS n ON n.order_shop = o.shop AND n.order_id = o.order_id
        WHERE o.state = 'partial'
    ) AS p
    WHERE p.first_seen_at < ?1
      AND p.state IN ('authorised', 'captured', 'partially_refunded', 'disputed')
    LIMIT ?2
)
