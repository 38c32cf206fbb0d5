-- As without a reason, and by the index of reasons.
SELECT id, shop, webhook_id, topic, reason, detail, attempts, deaths, state, closed_note,
       received_at, died_at
FROM dead_letters
WHERE state = 'open' AND reason = ?2 AND id > ?1
  AND (?3 IS NULL OR shop = ?3)
  AND (?4 IS NULL OR died_at >= ?4)
ORDER BY id
LIMIT ?5
