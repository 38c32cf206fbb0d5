UPDATE dead_letters SET raw = x''
WHERE id > ?1 AND id <= ?2 AND state <> 'open' AND closed_at < ?3 AND length(raw) > 0
