-- ① of a commit: the stock rows that the batch rests on, locked in key order, still as read.
WITH input AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
        WITH ORDINALITY AS t (sku, location, expected, place)
), locked AS (
    SELECT s.sku, s.location, s.version
    FROM stock AS s
    JOIN input USING (sku, location)
    ORDER BY s.sku, s.location
    FOR NO KEY UPDATE OF s
)
SELECT place, set_config('onhand.conflict', 'yes', true)
FROM input
LEFT JOIN locked USING (sku, location)
WHERE coalesce(locked.version, 0) <> input.expected
