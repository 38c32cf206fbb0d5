SELECT o.shop, o.order_id, o.version, o.document
FROM orders AS o
JOIN unnest($1::text[], $2::text[]) AS t (shop, order_id) USING (shop, order_id)
