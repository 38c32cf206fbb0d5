SELECT id::text, shop, webhook_id, topic, reason, detail, attempts, deaths, state, closed_note,
       (extract(epoch FROM received_at) * 1000000)::bigint,
       (extract(epoch FROM died_at) * 1000000)::bigint
FROM dead_letters
WHERE state = 'open' AND dead_letters.id > $1
  AND ($2::text IS NULL OR reason = $2)
  AND ($3::text IS NULL OR shop = $3)
  AND ($4::timestamptz IS NULL OR died_at >= $4)
ORDER BY dead_letters.id
LIMIT $5
