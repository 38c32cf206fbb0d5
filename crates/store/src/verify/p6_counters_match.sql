-- The counters that status and dashboards show are the rows that there are.
SELECT 'P6', 'the counter of ' || c.name || ' says ' || c.counted || ', there are ' || c.there
FROM (
    SELECT o.name,
           coalesce((SELECT CAST(sum(value) AS bigint) FROM counters AS k
                     WHERE k.name = o.name), 0) AS counted,
           o.there
    FROM (
        SELECT outcome AS name, count(*) AS there FROM webhooks GROUP BY outcome
        UNION ALL
        SELECT 'duplicate', coalesce(CAST(sum(deliveries - 1) AS bigint), 0) FROM webhooks
    ) AS o
) AS c
WHERE c.counted <> c.there
LIMIT $1
