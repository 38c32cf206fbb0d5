WITH scanned AS (
    SELECT envelope_id FROM webhooks
    WHERE envelope_id < ?1
    ORDER BY envelope_id DESC
    LIMIT ?2
)
SELECT (SELECT count(*) FROM scanned), envelope_id
FROM scanned
ORDER BY scanned.envelope_id
LIMIT 1
