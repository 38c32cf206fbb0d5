SELECT webhook_id, shop, body_hash, envelope_id, topic, order_id,
       outcome, reason, detail, deliveries, received_at, decided_at, attempts
FROM (
    SELECT * FROM webhooks
    WHERE envelope_id < ?1
    ORDER BY envelope_id DESC
    LIMIT ?2
) AS w
WHERE (?3 IS NULL OR shop = ?3)
  AND (?4 IS NULL OR topic = ?4)
  AND (?5 IS NULL OR outcome = ?5)
ORDER BY w.envelope_id DESC
LIMIT ?6
