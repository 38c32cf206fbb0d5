SELECT count(*)
FROM (
    SELECT 1
    FROM dead_letters
    WHERE state = 'open' AND id > $1
      AND ($2::text IS NULL OR reason = $2)
      AND ($3::text IS NULL OR shop = $3)
      AND ($4::timestamptz IS NULL OR died_at >= $4)
    LIMIT $5
) AS counted
