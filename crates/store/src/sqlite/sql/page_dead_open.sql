SELECT id, shop, webhook_id, topic, reason, detail, attempts, deaths, state, closed_note,
       received_at, died_at
FROM dead_letters
WHERE dead_letters.id < ?1 AND (?2 IS NULL OR reason = ?2)
  AND state = 'open'
ORDER BY dead_letters.id DESC
LIMIT ?3
