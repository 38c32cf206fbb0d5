WITH scanned AS (
    SELECT shop, order_id FROM orders
    WHERE (shop, order_id) < ($1, $2) AND (shop, order_id) >= ($3, $4)
    ORDER BY shop DESC, order_id DESC
    LIMIT $5
)
SELECT (SELECT count(*) FROM scanned), shop, order_id
FROM scanned
ORDER BY shop, order_id
LIMIT 1
