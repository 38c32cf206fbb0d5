-- The index of arrivals finds it at once, as no index of random ids could without a cost to inserts.
SELECT webhook_id, shop, encode(body_hash, 'hex'), envelope_id::text, topic, order_id,
       outcome, reason, detail, deliveries,
       (extract(epoch FROM received_at) * 1000000)::bigint,
       (extract(epoch FROM decided_at) * 1000000)::bigint, attempts::bigint
FROM webhooks
WHERE envelope_id = $6::uuid
  AND ($1::text IS NULL OR shop = $1)
  AND ($2::text IS NULL OR webhook_id = $2)
  AND ($3::text IS NULL OR order_id = $3)
  AND ($4::text IS NULL OR outcome = $4)
LIMIT $5
