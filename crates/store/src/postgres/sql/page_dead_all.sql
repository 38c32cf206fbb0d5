SELECT id::text, shop, webhook_id, topic, reason, detail, attempts, deaths, state, closed_note,
       (extract(epoch FROM received_at) * 1000000)::bigint,
       (extract(epoch FROM died_at) * 1000000)::bigint
FROM dead_letters
WHERE dead_letters.id < $1
ORDER BY dead_letters.id DESC
LIMIT $2
