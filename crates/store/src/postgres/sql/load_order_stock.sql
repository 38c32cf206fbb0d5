SELECT h.shop, h.order_id, h.sku, h.location, h.committed, h.shipped, h.returned, h.uncovered
FROM order_stock AS h
JOIN unnest($1::text[], $2::text[]) AS t (shop, order_id) USING (shop, order_id)
