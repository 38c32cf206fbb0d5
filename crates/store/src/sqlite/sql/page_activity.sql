SELECT shop, max(received_at), count(*), count(*) FILTER (WHERE outcome = 'dead')
FROM (
    SELECT shop, received_at, outcome FROM webhooks ORDER BY envelope_id DESC LIMIT ?1
)
GROUP BY shop
