-- By the whole of the index's key: else a kept plan may walk by id through all reasons.
SELECT id::text, shop, webhook_id, topic, reason, detail, attempts, deaths, state, closed_note,
       (extract(epoch FROM received_at) * 1000000)::bigint,
       (extract(epoch FROM died_at) * 1000000)::bigint
FROM dead_letters
WHERE (reason, state, dead_letters.id) < ($4, $3, $1) AND (reason, state) >= ($4, $3)
ORDER BY reason DESC, state DESC, dead_letters.id DESC
LIMIT $2
