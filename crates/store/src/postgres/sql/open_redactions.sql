SELECT id::text, shop, kind, customer, orders, closed_note
FROM privacy_requests
WHERE closed_at IS NULL AND kind <> 'data_request'
ORDER BY id
