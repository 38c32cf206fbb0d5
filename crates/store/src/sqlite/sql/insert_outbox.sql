INSERT INTO outbox (kind, shop, order_id, correlation_id, created_at)
SELECT
    value ->> 0, value ->> 1, value ->> 2, value ->> 3,
    CAST(unixepoch('subsec') * 1000000 AS integer)
FROM json_each(?1)
