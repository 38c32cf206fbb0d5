SELECT count(*)
FROM (
    SELECT 1
    FROM dead_letters
    WHERE state = 'open' AND id > ?1
      AND (?2 IS NULL OR reason = ?2)
      AND (?3 IS NULL OR shop = ?3)
      AND (?4 IS NULL OR died_at >= ?4)
    LIMIT ?5
)
