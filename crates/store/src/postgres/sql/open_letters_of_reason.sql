-- By the whole of the index's key: else a kept plan may walk by id through all reasons.
SELECT id::text, shop, webhook_id, topic, reason, detail, attempts, deaths, state, closed_note,
       (extract(epoch FROM received_at) * 1000000)::bigint,
       (extract(epoch FROM died_at) * 1000000)::bigint
FROM dead_letters
WHERE (reason, state, dead_letters.id) > ($2, 'open', $1) AND (reason, state) <= ($2, 'open')
  AND ($3::text IS NULL OR shop = $3)
  AND ($4::timestamptz IS NULL OR died_at >= $4)
ORDER BY reason, state, dead_letters.id
LIMIT $5
