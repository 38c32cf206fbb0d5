-- As by id: with the shop and the order known, their index serves.
SELECT webhook_id, shop, body_hash, envelope_id, topic, order_id,
       outcome, reason, detail, deliveries, received_at, decided_at, attempts
FROM webhooks
WHERE shop = ?1 AND order_id = ?3
  AND (?2 IS NULL OR webhook_id = ?2)
  AND (?4 IS NULL OR outcome = ?4)
ORDER BY +envelope_id DESC
LIMIT ?5
