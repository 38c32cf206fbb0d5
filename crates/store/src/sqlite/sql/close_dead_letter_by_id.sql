-- What nobody needs to look at any more is not kept.
UPDATE dead_letters SET
    raw = x'',
    state = ?2,
    closed_at = CAST(unixepoch('subsec') * 1000000 AS integer),
    closed_note = ?3
WHERE id = ?1 AND state = 'open'
RETURNING 1
