-- One page by key, and what of it is closed and has a body. Closing a letter removes its body, so what
-- is found here is of older programs.
WITH page AS MATERIALIZED (
    SELECT id, state <> 'open' AND closed_at < ?1 AND length(raw) > 0 AS old
    FROM dead_letters
    WHERE id > ?2
    ORDER BY id
    LIMIT ?3
)
SELECT (SELECT count(*) FROM page WHERE old), id
FROM page
ORDER BY id DESC
LIMIT 1
