-- As by id, by the index of arrivals.
SELECT webhook_id, shop, body_hash, envelope_id, topic, order_id,
       outcome, reason, detail, deliveries, received_at, decided_at, attempts
FROM webhooks
WHERE envelope_id = ?6
  AND (?1 IS NULL OR shop = ?1)
  AND (?2 IS NULL OR webhook_id = ?2)
  AND (?3 IS NULL OR order_id = ?3)
  AND (?4 IS NULL OR outcome = ?4)
LIMIT ?5
