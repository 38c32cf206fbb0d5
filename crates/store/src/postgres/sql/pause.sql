-- One row if it is paused by this.
WITH paused AS (
    INSERT INTO pauses (shop, since, who, reason)
    SELECT $1::text, $2::timestamptz, $3::text, $4::text
    WHERE NOT EXISTS (SELECT FROM operations WHERE key = $5::text)
    ON CONFLICT DO NOTHING
    RETURNING shop
)
INSERT INTO operations (key, what, at)
SELECT $5::text, $6::text, $7::timestamptz FROM paused
ON CONFLICT DO NOTHING
RETURNING key
