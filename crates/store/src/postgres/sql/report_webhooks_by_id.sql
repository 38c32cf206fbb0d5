-- Found first and sorted then, by text: else a kept plan may look for it through all that ever came.
SELECT webhook_id, shop, encode(body_hash, 'hex'), envelope_id::text, topic, order_id,
       outcome, reason, detail, deliveries,
       (extract(epoch FROM received_at) * 1000000)::bigint,
       (extract(epoch FROM decided_at) * 1000000)::bigint, attempts::bigint
FROM webhooks
WHERE webhook_id = $2::text
  AND ($1::text IS NULL OR shop = $1)
  AND ($3::text IS NULL OR order_id = $3)
  AND ($4::text IS NULL OR outcome = $4)
ORDER BY envelope_id DESC
LIMIT $5
