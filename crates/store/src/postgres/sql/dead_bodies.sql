-- A page by length first, which reads no body: one may be megabytes.
WITH page AS (
    (
        SELECT id, octet_length(raw) AS bytes FROM dead_letters
        WHERE shop = $1 AND id > $2 AND (octet_length(raw) > 0 OR detail NOT IN ('', 'redacted'))
        ORDER BY id
        LIMIT $3
    )
    UNION ALL
    (
        SELECT id, octet_length(raw) FROM dead_letters
        WHERE shop IS NULL AND id > $2 AND (octet_length(raw) > 0 OR detail NOT IN ('', 'redacted'))
        ORDER BY id
        LIMIT $3
    )
    ORDER BY id
    LIMIT $3
), sized AS (
    SELECT id, sum(bytes) OVER (ORDER BY id) - bytes AS bytes_before FROM page
)
SELECT d.id, d.raw, d.detail
FROM sized
JOIN dead_letters AS d USING (id)
WHERE sized.bytes_before < $4
ORDER BY d.id
