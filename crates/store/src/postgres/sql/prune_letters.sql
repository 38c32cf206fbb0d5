-- One page by key. Closing a letter removes its body, so what is found here is of older programs.
WITH page AS MATERIALIZED (
    SELECT id, state <> 'open' AND closed_at < $1 AND octet_length(raw) > 0 AS old
    FROM dead_letters
    WHERE id > $2
    ORDER BY id
    LIMIT $3
), removed AS (
    UPDATE dead_letters AS d SET raw = ''
    FROM page
    WHERE $4::boolean AND page.old AND d.id = page.id AND d.state <> 'open'
)
SELECT (SELECT count(*) FROM page WHERE old), id
FROM page
ORDER BY id DESC
LIMIT 1
