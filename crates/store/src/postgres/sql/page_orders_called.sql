SELECT shop, order_id, name, state, financial_status, fulfillment_status,
       (extract(epoch FROM first_seen_at) * 1000000)::bigint
FROM orders
WHERE name IN ($1::text, '#' || $1::text)
UNION
SELECT shop, order_id, name, state, financial_status, fulfillment_status,
       (extract(epoch FROM first_seen_at) * 1000000)::bigint
FROM orders
WHERE order_id = $1::text AND shop = ANY ($2)
ORDER BY 1, 2
LIMIT $3
