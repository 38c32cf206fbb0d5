SELECT id, shop, webhook_id, topic, reason, detail, attempts, deaths, state, closed_note,
       received_at, died_at
FROM dead_letters
WHERE state = 'open' AND dead_letters.id < ?1
ORDER BY dead_letters.id DESC
LIMIT ?2
