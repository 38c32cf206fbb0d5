-- What another worker is about to remove is left to it.
WITH expired AS MATERIALIZED (
    SELECT shop, envelope_id FROM webhook_bodies
    WHERE keep_until < $1
    ORDER BY keep_until
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)
DELETE FROM webhook_bodies AS b USING expired
WHERE b.shop = expired.shop AND b.envelope_id = expired.envelope_id
RETURNING 1::bigint
