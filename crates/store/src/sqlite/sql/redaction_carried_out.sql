-- Once it is over, of what finds the customer only the ids stay, which are in the first line.
UPDATE privacy_requests SET
    closed_at = CASE WHEN ?3 THEN CAST(unixepoch('subsec') * 1000000 AS integer) END,
    closed_note = ?2,
    orders = CASE
        WHEN ?3 THEN substr(orders, 1, instr(orders || char(10), char(10)) - 1)
        ELSE orders
    END
WHERE id = ?1 AND closed_at IS NULL
