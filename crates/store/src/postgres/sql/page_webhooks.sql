SELECT webhook_id, shop, encode(body_hash, 'hex'), envelope_id::text, topic, order_id,
       outcome, reason, detail, deliveries,
       (extract(epoch FROM received_at) * 1000000)::bigint,
       (extract(epoch FROM decided_at) * 1000000)::bigint, attempts::bigint
FROM (
    SELECT * FROM webhooks
    WHERE envelope_id < $1
    ORDER BY envelope_id DESC
    LIMIT $2
) AS w
WHERE ($3::text IS NULL OR shop = $3)
  AND ($4::text IS NULL OR topic = $4)
  AND ($5::text IS NULL OR outcome = $5)
ORDER BY w.envelope_id DESC
LIMIT $6
