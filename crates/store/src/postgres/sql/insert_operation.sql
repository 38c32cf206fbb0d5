-- An operator's command, once only: one that was done before is a conflict.
WITH written AS (
    INSERT INTO operations (key, what, at)
    VALUES ($1::text, $2::text, $3::timestamptz)
    ON CONFLICT DO NOTHING
    RETURNING key
)
SELECT 1::bigint AS place, set_config('onhand.conflict', 'yes', true)
WHERE NOT EXISTS (SELECT FROM written)
