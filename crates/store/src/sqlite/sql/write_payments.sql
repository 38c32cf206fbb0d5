INSERT INTO payments (
    shop, payment_id, version, state, order_shop, order_id, document, first_seen_at
)
SELECT
    value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
    CAST(unixepoch('subsec') * 1000000 AS integer)
FROM json_each(?1)
WHERE true
ON CONFLICT (shop, payment_id) DO UPDATE SET
    version = excluded.version,
    state = excluded.state,
    order_shop = excluded.order_shop,
    order_id = excluded.order_id,
    document = excluded.document
