-- One row if a pause is ended by this.
WITH ended AS (
    DELETE FROM pauses
    WHERE shop = $1::text AND NOT EXISTS (SELECT FROM operations WHERE key = $2::text)
    RETURNING shop
)
INSERT INTO operations (key, what, at)
SELECT $2::text, $3::text, $4::timestamptz FROM ended
ON CONFLICT DO NOTHING
RETURNING key
