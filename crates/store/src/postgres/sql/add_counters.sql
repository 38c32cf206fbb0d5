-- Each connection counts in a row of its own, so that lanes do not wait for each other here.
INSERT INTO counters AS c (name, shard, value)
SELECT name, pg_backend_pid() % 64, value
FROM unnest($1::text[], $2::bigint[]) AS t (name, value)
ORDER BY name COLLATE "C"
ON CONFLICT (name, shard) DO UPDATE SET value = c.value + excluded.value
