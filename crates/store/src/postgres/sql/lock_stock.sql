-- ① of a commit: the stock rows that the batch rests on, locked in key order, still as read.
WITH input AS (
    SELECT *, row_number() OVER () AS place
    FROM (
        SELECT unnest($1::text[]) AS sku, unnest($2::text[]) AS location,
               unnest($3::bigint[]) AS expected
    ) AS t
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
