SELECT shop, order_id, committed
FROM order_stock
WHERE sku = $1 AND location = $2 AND committed > 0
ORDER BY committed DESC, shop, order_id
LIMIT $3
