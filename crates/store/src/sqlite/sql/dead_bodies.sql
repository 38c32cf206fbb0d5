SELECT id, raw FROM dead_letters
WHERE (shop = ?1 OR shop IS NULL) AND (?2 IS NULL OR id > ?2) AND raw <> x''
ORDER BY id
LIMIT ?3
