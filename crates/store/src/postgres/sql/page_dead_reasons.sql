SELECT reason, count(*), (extract(epoch FROM min(died_at)) * 1000000)::bigint
FROM dead_letters
WHERE state = 'open'
GROUP BY reason
ORDER BY 2 DESC, 1
