-- As for dead letters: a page by length first, which reads no body.
WITH page AS (
    SELECT envelope_id, octet_length(raw) AS bytes FROM webhook_bodies
    WHERE shop = $1 AND envelope_id > $2
    ORDER BY envelope_id
    LIMIT $3
), sized AS (
    SELECT envelope_id, sum(bytes) OVER (ORDER BY envelope_id) - bytes AS bytes_before FROM page
)
SELECT b.envelope_id, b.raw
FROM sized
JOIN webhook_bodies AS b ON b.shop = $1 AND b.envelope_id = sized.envelope_id
WHERE sized.bytes_before < $4
ORDER BY b.envelope_id
