INSERT INTO privacy_requests (
    id, shop, kind, customer, orders, received_at, due_at, closed_at, closed_note
)
SELECT
    value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
    CASE WHEN value ->> 7 THEN CAST(unixepoch('subsec') * 1000000 AS integer) END,
    CASE WHEN value ->> 7 THEN 'done at once' END
FROM json_each(?1)
WHERE true
ON CONFLICT (id) DO NOTHING
