SELECT name, sum(value) FROM counters GROUP BY name
