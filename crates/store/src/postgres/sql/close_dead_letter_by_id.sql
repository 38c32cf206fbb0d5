-- What nobody needs to look at any more is not kept.
UPDATE dead_letters SET state = $2, closed_at = now(), closed_note = $3, raw = ''
WHERE id = $1 AND state = 'open'
RETURNING 1::bigint
