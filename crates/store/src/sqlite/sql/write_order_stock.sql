INSERT INTO order_stock (
    shop, order_id, sku, location, committed, shipped, returned, uncovered
)
SELECT
    value ->> '$[0][0]', value ->> '$[0][1]', value ->> '$[1][0]', value ->> '$[1][1]',
    value ->> 2, value ->> 3, value ->> 4, value ->> 5
FROM json_each(?1)
WHERE true
ON CONFLICT (shop, order_id, sku, location) DO UPDATE SET
    committed = excluded.committed,
    shipped = excluded.shipped,
    returned = excluded.returned,
    uncovered = excluded.uncovered
