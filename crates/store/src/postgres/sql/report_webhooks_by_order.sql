-- Found first and sorted then, as by id.
SELECT webhook_id, shop, encode(body_hash, 'hex'), envelope_id::text, topic, order_id,
       outcome, reason, detail, deliveries,
       (extract(epoch FROM received_at) * 1000000)::bigint,
       (extract(epoch FROM decided_at) * 1000000)::bigint, attempts::bigint
FROM webhooks
WHERE shop = $1::text AND order_id = $3::text
  AND ($2::text IS NULL OR webhook_id = $2)
  AND ($4::text IS NULL OR outcome = $4)
ORDER BY envelope_id DESC
LIMIT $5
