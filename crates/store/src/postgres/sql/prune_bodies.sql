-- One page by key: what of it is older than $3 is counted and, if asked, removed.
WITH page AS MATERIALIZED (
    SELECT shop, envelope_id FROM webhook_bodies
    WHERE (shop, envelope_id) > ($1, $2)
    ORDER BY shop, envelope_id
    LIMIT $4
), removed AS (
    DELETE FROM webhook_bodies AS b USING page
    WHERE $5::boolean AND page.envelope_id < $3
      AND b.shop = page.shop AND b.envelope_id = page.envelope_id
)
SELECT (SELECT count(*) FROM page WHERE envelope_id < $3), shop, envelope_id
FROM page
ORDER BY shop DESC, envelope_id DESC
LIMIT 1
