UPDATE dead_letters SET state = 'discarded', closed_at = now(), closed_note = $2
WHERE id = $1 AND state = 'open'
RETURNING 1::bigint
