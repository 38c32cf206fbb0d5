-- As without a reason, and by the index of reasons.
SELECT count(*)
FROM (
    SELECT 1
    FROM dead_letters
    WHERE state = 'open' AND reason = ?2 AND id > ?1
      AND (?3 IS NULL OR shop = ?3)
      AND (?4 IS NULL OR died_at >= ?4)
    LIMIT ?5
)
