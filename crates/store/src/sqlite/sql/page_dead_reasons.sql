SELECT reason, count(*), min(died_at)
FROM dead_letters
WHERE state = 'open'
GROUP BY reason
ORDER BY 2 DESC, 1
