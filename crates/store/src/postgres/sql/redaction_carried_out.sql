-- Once it is over, of what finds the customer only the ids stay, which are in the first line.
UPDATE privacy_requests SET
    closed_at = CASE WHEN $3::boolean THEN now() END,
    closed_note = $2,
    orders = CASE WHEN $3 THEN split_part(orders, E'\n', 1) ELSE orders END
WHERE id = $1 AND closed_at IS NULL
