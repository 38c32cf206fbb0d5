SELECT o.shop, o.order_id, o.version, o.document
FROM (SELECT unnest($1::text[]) AS shop, unnest($2::text[]) AS order_id) AS t
JOIN orders AS o USING (shop, order_id)
