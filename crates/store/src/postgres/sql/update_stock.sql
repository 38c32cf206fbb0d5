-- ① of a commit. The version is checked again where it is written: the fence of every strategy.
WITH input AS (
    SELECT *, row_number() OVER () AS place
    FROM (
        SELECT unnest($1::text[]) AS sku, unnest($2::text[]) AS location,
               unnest($3::bigint[]) AS expected, unnest($4::bigint[]) AS on_hand,
               unnest($5::bigint[]) AS committed, unnest($6::bigint[]) AS floor,
               unnest($7::bigint[]) AS version
    ) AS t
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
