INSERT INTO privacy_requests (
    id, shop, kind, customer, orders, received_at, due_at, closed_at, closed_note
)
SELECT id, shop, kind, customer, orders, received_at, due_at,
       CASE WHEN done THEN now() END, CASE WHEN done THEN 'done at once' END
FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[],
    $6::timestamptz[], $7::timestamptz[], $8::boolean[]
) AS t (id, shop, kind, customer, orders, received_at, due_at, done)
ON CONFLICT (id) DO NOTHING
