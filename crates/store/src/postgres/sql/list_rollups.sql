SELECT (extract(epoch FROM at) * 1000000)::bigint, counts::text
FROM rollups
WHERE step = $1 AND at >= $2 AND at < $3
ORDER BY at
