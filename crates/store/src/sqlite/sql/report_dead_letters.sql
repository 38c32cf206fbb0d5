SELECT id, shop, webhook_id, topic, reason, detail, attempts, deaths, state, closed_note,
       received_at, died_at
FROM dead_letters
WHERE (?1 IS NULL OR id = ?1)
  AND (?2 IS NULL OR reason = ?2)
  AND (?3 OR state = 'open')
  AND (?4 IS NULL OR shop = ?4)
ORDER BY id DESC
LIMIT ?5
