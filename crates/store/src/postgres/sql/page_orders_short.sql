SELECT shop, order_id, name, state, financial_status, fulfillment_status,
       (extract(epoch FROM first_seen_at) * 1000000)::bigint
FROM orders
WHERE short AND (shop, order_id) < ($1, $2) AND (shop, order_id) >= ($3, $4)
ORDER BY shop DESC, order_id DESC
LIMIT $5
