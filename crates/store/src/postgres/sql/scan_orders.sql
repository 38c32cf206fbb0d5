-- The last row that is looked through; none where there are fewer.
SELECT shop, order_id FROM orders
WHERE (shop, order_id) < ($1, $2) AND (shop, order_id) >= ($3, $4)
ORDER BY shop DESC, order_id DESC
LIMIT 1 OFFSET $5::bigint - 1
