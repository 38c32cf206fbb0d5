SELECT (extract(epoch FROM first_seen_at) * 1000000)::bigint, order_id
FROM orders
WHERE short AND shop = $1 AND (first_seen_at, order_id) > ($2, $3)
ORDER BY first_seen_at, order_id
LIMIT $4
