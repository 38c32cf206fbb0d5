INSERT INTO counters (name, shard, value)
SELECT value ->> 0, 0, value ->> 1 FROM json_each(?1)
WHERE true
ON CONFLICT (name, shard) DO UPDATE SET value = value + excluded.value
