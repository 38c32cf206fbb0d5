SELECT id::text, shop, kind, customer, orders,
       (extract(epoch FROM received_at) * 1000000)::bigint,
       (extract(epoch FROM due_at) * 1000000)::bigint,
       (extract(epoch FROM closed_at) * 1000000)::bigint,
       closed_note
FROM privacy_requests
WHERE $1::boolean OR closed_at IS NULL
ORDER BY closed_at IS NOT NULL, due_at, id
LIMIT $2
