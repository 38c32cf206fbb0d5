SELECT id, shop, kind, customer, orders, received_at, due_at, closed_at, closed_note
FROM privacy_requests
WHERE ?1 OR closed_at IS NULL
ORDER BY closed_at IS NOT NULL, due_at, id
LIMIT ?2
