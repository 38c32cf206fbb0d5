-- ⑤ of a redaction, in key order: letters of nobody have no webhook that keeps two apart.
WITH locked AS MATERIALIZED (
    SELECT id FROM dead_letters WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
)
UPDATE dead_letters AS d SET
    raw = '',
    detail = 'redacted',
    closed_at = coalesce(closed_at, now()),
    closed_note = CASE WHEN state = 'open' THEN 'redacted' ELSE closed_note END,
    state = CASE WHEN state = 'open' THEN 'discarded' ELSE state END
FROM locked
WHERE d.id = locked.id
