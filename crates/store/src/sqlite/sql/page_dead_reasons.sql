-- From reason to reason by index, and of each no more than anybody wants to know: the oldest of those
-- that came first.
WITH RECURSIVE reasons (reason) AS (
    SELECT min(reason) FROM dead_letters
    UNION ALL
    SELECT (SELECT min(d.reason) FROM dead_letters AS d WHERE d.reason > r.reason)
    FROM reasons AS r
    WHERE r.reason IS NOT NULL
)
SELECT
    r.reason,
    (SELECT count(*) FROM (
        SELECT died_at FROM dead_letters AS d
        WHERE d.state = 'open' AND d.reason = r.reason
        ORDER BY d.id
        LIMIT ?1
    )) AS letters,
    (SELECT min(died_at) FROM (
        SELECT died_at FROM dead_letters AS d
        WHERE d.state = 'open' AND d.reason = r.reason
        ORDER BY d.id
        LIMIT ?1
    ))
FROM reasons AS r
WHERE letters > 0
ORDER BY 2 DESC, 1
