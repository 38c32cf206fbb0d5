-- By the whole of the index's key: else a kept plan may walk by id through all reasons.
SELECT count(*)
FROM (
    SELECT 1
    FROM dead_letters
    WHERE (reason, state, id) > ($2, 'open', $1) AND (reason, state) <= ($2, 'open')
      AND ($3::text IS NULL OR shop = $3)
      AND ($4::timestamptz IS NULL OR died_at >= $4)
    ORDER BY reason, state, id
    LIMIT $5
) AS counted
