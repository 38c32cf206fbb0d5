INSERT INTO alerts (matter, began, told_at)
SELECT value ->> 0, value ->> 1, value ->> 2
FROM json_each(?1)
WHERE true
ON CONFLICT (matter) DO UPDATE SET began = excluded.began, told_at = excluded.told_at
