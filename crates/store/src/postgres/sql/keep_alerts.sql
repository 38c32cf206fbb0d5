-- In the order of the key, so that two processes that were told the same do not wait in a circle.
WITH over_now AS (
    DELETE FROM alerts WHERE matter = ANY ($4::text[])
)
INSERT INTO alerts (matter, began, told_at)
SELECT matter, began, told_at
FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) AS told (matter, began, told_at)
ORDER BY matter COLLATE "C"
ON CONFLICT (matter) DO UPDATE SET began = excluded.began, told_at = excluded.told_at
