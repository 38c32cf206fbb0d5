SELECT shop, order_id, name, state, financial_status, fulfillment_status, first_seen_at
FROM (
    SELECT * FROM orders
    WHERE (shop, order_id) < (?1, ?2) AND (shop, order_id) >= (?3, ?4)
    ORDER BY shop DESC, order_id DESC
    LIMIT ?5
) AS o
WHERE ?6 IS NULL OR state = ?6
ORDER BY shop DESC, order_id DESC
LIMIT ?7
