SELECT webhook_id, shop, body_hash, envelope_id, topic, order_id,
       outcome, reason, detail, deliveries, received_at, decided_at, attempts
FROM webhooks
WHERE (?1 IS NULL OR shop = ?1)
  AND (?2 IS NULL OR webhook_id = ?2)
  AND (?3 IS NULL OR order_id = ?3)
  AND (?4 IS NULL OR outcome = ?4)
ORDER BY envelope_id DESC
LIMIT ?5
