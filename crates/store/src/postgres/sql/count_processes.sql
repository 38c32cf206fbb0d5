SELECT role, count(*)
FROM processes
WHERE seen_at >= now() - $1::bigint * interval '1 microsecond'
GROUP BY role
