-- The newest sighting of each thing stays, whenever it arrives; of two of one moment
-- always the same.
INSERT INTO sightings (shop, kind, id, place, seen_at, gone, document)
SELECT
    value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
FROM json_each(?1)
WHERE true
ON CONFLICT (shop, kind, id, place) DO UPDATE SET
    seen_at = excluded.seen_at, gone = excluded.gone, document = excluded.document
WHERE (sightings.seen_at, sightings.gone, sightings.document)
    < (excluded.seen_at, excluded.gone, excluded.document)
