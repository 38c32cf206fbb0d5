-- In key order, as everybody who removes some.
WITH locked AS MATERIALIZED (
    SELECT shop, envelope_id FROM webhook_bodies
    WHERE shop = $1 AND envelope_id = ANY ($2::uuid[])
    ORDER BY envelope_id
    FOR UPDATE
)
DELETE FROM webhook_bodies AS b USING locked
WHERE b.shop = locked.shop AND b.envelope_id = locked.envelope_id
