INSERT INTO orders (
    shop, order_id, version, state, short,
    name, financial_status, fulfillment_status, document, first_seen_at
)
SELECT
    value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4,
    value ->> 5, value ->> 6, value ->> 7, value ->> 8,
    ?2
FROM json_each(?1)
WHERE true
ON CONFLICT (shop, order_id) DO UPDATE SET
    version = excluded.version,
    state = excluded.state,
    short = excluded.short,
    name = excluded.name,
    financial_status = excluded.financial_status,
    fulfillment_status = excluded.fulfillment_status,
    document = excluded.document
