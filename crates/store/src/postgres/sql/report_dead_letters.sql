SELECT id::text, shop, webhook_id, topic, reason, detail, attempts, deaths, state, closed_note,
       (extract(epoch FROM received_at) * 1000000)::bigint,
       (extract(epoch FROM died_at) * 1000000)::bigint
FROM dead_letters
WHERE ($1::uuid IS NULL OR id = $1)
  AND ($2::text IS NULL OR reason = $2)
  AND ($3::boolean OR state = 'open')
  AND ($4::text IS NULL OR shop = $4)
ORDER BY dead_letters.id DESC
LIMIT $5
