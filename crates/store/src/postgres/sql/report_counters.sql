SELECT name, sum(value)::bigint FROM counters GROUP BY name
