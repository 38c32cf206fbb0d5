UPDATE dead_letters SET state = $2, closed_at = now(), closed_note = $3
WHERE id = $1 AND state = 'open'
RETURNING 1::bigint
