-- ① of a commit. The version is checked again where it is written: the fence of every strategy.
WITH input AS (
    SELECT * FROM unnest(
        $1::text[], $2::text[], $3::bigint[],
        $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[]
    ) WITH ORDINALITY AS t (sku, location, expected, on_hand, committed, floor, version, place)
), written AS (
    UPDATE stock AS s SET
        on_hand = i.on_hand, committed = i.committed, floor = i.floor, version = i.version
    FROM input AS i
    WHERE s.sku = i.sku AND s.location = i.location AND s.version = i.expected
    RETURNING i.place
)
SELECT place, set_config('onhand.conflict', 'yes', true)
FROM input
WHERE place NOT IN (SELECT place FROM written)
