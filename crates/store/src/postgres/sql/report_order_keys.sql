SELECT shop, order_id
FROM orders
WHERE version > 0 AND (shop, order_id) > ($1, $2)
ORDER BY shop, order_id
LIMIT $3
