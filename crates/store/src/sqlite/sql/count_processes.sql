SELECT role, count(*)
FROM processes
WHERE seen_at >= CAST(unixepoch('subsec') * 1000000 AS INTEGER) - ?1
GROUP BY role
