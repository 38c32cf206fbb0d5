-- By the database's clock: the processes' own may differ.
WITH seen AS (
    INSERT INTO processes (id, role, seen_at) VALUES ($5, $6, now())
    ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
), forgotten AS (
    DELETE FROM processes WHERE id IN (
        SELECT id FROM processes WHERE seen_at < now() - $7::bigint * interval '1 microsecond'
        FOR UPDATE SKIP LOCKED
    )
), removed AS (
    DELETE FROM rollups WHERE (step, at) IN (
        SELECT r.step, r.at
        FROM unnest($1::integer[], $4::timestamptz[]) AS kept (step, since)
        JOIN rollups AS r ON r.step = kept.step AND r.at < kept.since
        FOR UPDATE OF r SKIP LOCKED
    )
)
INSERT INTO rollups AS r (step, at, counts)
SELECT step, at, $3::text::jsonb
FROM unnest($1::integer[], $2::timestamptz[]) AS t (step, at)
ORDER BY step
ON CONFLICT (step, at) DO UPDATE SET counts = (
    SELECT coalesce(jsonb_object_agg(name, total), '{}')
    FROM (
        SELECT name,
            CASE WHEN right(name, 4) = '_max' THEN max(value::bigint) ELSE sum(value::bigint) END
                AS total
        FROM (
            SELECT * FROM jsonb_each_text(r.counts)
            UNION ALL
            SELECT * FROM jsonb_each_text(excluded.counts)
        ) AS both_of_them (name, value)
        GROUP BY name
    ) AS sums
)
