SELECT h.shop, h.order_id, h.sku, h.location, h.committed, h.shipped, h.returned, h.uncovered
FROM json_each(?1) AS k
CROSS JOIN order_stock AS h ON h.shop = k.value ->> 0 AND h.order_id = k.value ->> 1
