UPDATE dead_letters SET
    raw = x'',
    detail = 'redacted',
    closed_at = coalesce(closed_at, CAST(unixepoch('subsec') * 1000000 AS integer)),
    closed_note = CASE WHEN state = 'open' THEN 'redacted' ELSE closed_note END,
    state = CASE WHEN state = 'open' THEN 'discarded' ELSE state END
WHERE id = ?1
