-- ① of a commit: stock rows that did not exist. One that exists by now is a conflict.
WITH input AS (
    SELECT * FROM unnest(
        $1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]
    ) WITH ORDINALITY AS t (sku, location, on_hand, committed, floor, version, place)
), written AS (
    INSERT INTO stock (sku, location, on_hand, committed, floor, version)
    SELECT sku, location, on_hand, committed, floor, version
    FROM input
    ORDER BY sku COLLATE "C", location COLLATE "C"
    ON CONFLICT DO NOTHING
    RETURNING sku, location
)
SELECT place, set_config('onhand.conflict', 'yes', true)
FROM input
WHERE NOT EXISTS (
    SELECT FROM written AS w WHERE w.sku = input.sku AND w.location = input.location
)
