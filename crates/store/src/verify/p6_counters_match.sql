-- The counters that status and dashboards show are the rows that there are.
SELECT 'P6', 'the counter of ' || name || ' says ' || sum(counted) || ', there are ' || sum(there)
FROM (
    SELECT name, value AS counted, 0 AS there FROM counters
    UNION ALL
    SELECT outcome, 0, 1 FROM webhooks
    UNION ALL
    SELECT 'duplicate', 0, deliveries - 1 FROM webhooks
) AS c
GROUP BY name
HAVING sum(counted) <> sum(there)
LIMIT $1
