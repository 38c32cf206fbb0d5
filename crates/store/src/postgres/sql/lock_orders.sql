-- Locks the orders that exist, in key order, for a locking batch.
SELECT FROM orders AS o
JOIN unnest($1::text[], $2::text[]) AS t (shop, order_id) USING (shop, order_id)
ORDER BY o.shop, o.order_id
FOR NO KEY UPDATE OF o
