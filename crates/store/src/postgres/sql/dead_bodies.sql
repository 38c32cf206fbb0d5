SELECT id, raw FROM dead_letters
WHERE (shop = $1 OR shop IS NULL) AND ($2::uuid IS NULL OR id > $2) AND raw <> ''
ORDER BY id
LIMIT $3
