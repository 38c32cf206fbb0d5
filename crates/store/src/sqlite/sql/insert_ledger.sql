INSERT INTO ledger (
    sku, location, version, kind, on_hand_delta, committed_delta,
    shop, order_id, webhook_id, correlation_id, reason, at
)
SELECT
    value ->> '$[0][0]', value ->> '$[0][1]', value ->> '$[0][2]',
    value ->> '$[1][0]', value ->> '$[1][1]', value ->> '$[1][2]',
    value ->> '$[2][0]', value ->> '$[2][1]', value ->> '$[2][2]',
    value ->> '$[3][0]', value ->> '$[3][1]', value ->> '$[3][2]'
FROM json_each(?1)
