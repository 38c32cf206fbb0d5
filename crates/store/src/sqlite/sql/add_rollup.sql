INSERT INTO rollups (step, at, counts) VALUES (?1, ?2, ?3)
ON CONFLICT (step, at) DO UPDATE SET counts = (
    SELECT json_group_object(name, total)
    FROM (
        SELECT name,
            CASE WHEN substr(name, -4) = '_max' THEN max(value) ELSE sum(value) END AS total
        FROM (
            SELECT key AS name, value FROM json_each(rollups.counts)
            UNION ALL
            SELECT key, value FROM json_each(excluded.counts)
        )
        GROUP BY name
    )
)
