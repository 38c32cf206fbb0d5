INSERT INTO stock (sku, location, on_hand, committed, floor, version)
SELECT
    value ->> '$[0][0]', value ->> '$[0][1]',
    value ->> 1, value ->> 2, value ->> 3, value ->> 4
FROM json_each(?1)
WHERE true
ON CONFLICT (sku, location) DO UPDATE SET
    on_hand = excluded.on_hand,
    committed = excluded.committed,
    floor = excluded.floor,
    version = excluded.version
