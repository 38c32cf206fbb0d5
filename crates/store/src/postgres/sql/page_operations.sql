SELECT key, what, (extract(epoch FROM at) * 1000000)::bigint
FROM operations
WHERE key < $1 AND key >= $2
ORDER BY key DESC
LIMIT $3
