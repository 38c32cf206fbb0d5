INSERT INTO rollups (step, at, counts) VALUES (?1, ?2, ?3)
ON CONFLICT (step, at) DO UPDATE SET counts = (
    SELECT json_group_object(name, total)
    FROM (
        SELECT name, sum(value) AS total
        FROM (
            SELECT key AS name, value FROM json_each(rollups.counts)
            UNION ALL
            SELECT key, value FROM json_each(excluded.counts)
        )
        GROUP BY name
    )
)
