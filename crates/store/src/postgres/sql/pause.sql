-- One row if it is paused by this.
WITH noted AS (
    INSERT INTO operations (key, what, at)
    SELECT $5::text, $6::text, $7::timestamptz
    WHERE NOT EXISTS (SELECT FROM pauses WHERE shop = $1::text)
    ON CONFLICT DO NOTHING
    RETURNING key
)
INSERT INTO pauses (shop, since, who, reason)
SELECT $1::text, $2::timestamptz, $3::text, $4::text FROM noted
ON CONFLICT DO NOTHING
RETURNING shop
