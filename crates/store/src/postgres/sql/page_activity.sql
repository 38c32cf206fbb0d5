SELECT shop, (extract(epoch FROM max(received_at)) * 1000000)::bigint, count(*),
       count(*) FILTER (WHERE outcome = 'dead')
FROM (
    SELECT shop, received_at, outcome FROM webhooks ORDER BY envelope_id DESC LIMIT $1
) AS w
GROUP BY shop
