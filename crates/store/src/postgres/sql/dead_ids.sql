SELECT id FROM dead_letters
WHERE shop = $1 AND id > $2 AND (octet_length(raw) > 0 OR detail NOT IN ('', 'redacted'))
ORDER BY id
LIMIT $3
