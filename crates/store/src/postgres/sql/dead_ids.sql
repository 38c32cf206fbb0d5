SELECT id FROM dead_letters
WHERE shop = $1 AND id > $2 AND octet_length(raw) > 0
ORDER BY id
LIMIT $3
