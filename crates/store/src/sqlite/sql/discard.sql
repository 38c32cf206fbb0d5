UPDATE dead_letters SET
    state = 'discarded',
    closed_at = CAST(unixepoch('subsec') * 1000000 AS integer),
    closed_note = ?2
WHERE id = ?1 AND state = 'open'
RETURNING 1
