SELECT shop, order_id, name, state, financial_status, fulfillment_status, first_seen_at
FROM orders
WHERE name IN (?1, '#' || ?1)
UNION
SELECT shop, order_id, name, state, financial_status, fulfillment_status, first_seen_at
FROM orders
WHERE order_id = ?1 AND shop IN (SELECT value FROM json_each(?2))
ORDER BY 1, 2
LIMIT ?3
