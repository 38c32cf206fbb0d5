INSERT INTO processes (id, role, seen_at)
VALUES (?1, ?2, CAST(unixepoch('subsec') * 1000000 AS INTEGER))
ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
