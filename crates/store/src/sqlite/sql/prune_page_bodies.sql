-- One page by key, and what of it is older than ?3.
WITH page AS MATERIALIZED (
    SELECT shop, envelope_id FROM webhook_bodies
    WHERE (shop, envelope_id) > (?1, ?2)
    ORDER BY shop, envelope_id
    LIMIT ?4
)
SELECT (SELECT count(*) FROM page WHERE envelope_id < ?3), shop, envelope_id
FROM page
ORDER BY shop DESC, envelope_id DESC
LIMIT 1
