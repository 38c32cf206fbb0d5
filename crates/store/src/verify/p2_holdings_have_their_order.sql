SELECT 'P2', 'order ' || h.shop || ' ' || h.order_id || ' holds ' || h.sku || ' at ' || h.location
    || ', but what is known of it is gone'
FROM order_stock AS h
WHERE NOT EXISTS (
    SELECT 1 FROM orders AS o WHERE o.shop = h.shop AND o.order_id = h.order_id
)
LIMIT $1
