-- The newest sighting of each thing stays, whenever it arrives; of two of one moment always the
-- same. Where one batch has several of a
-- thing, only the newest goes in: a row is written once per statement.
INSERT INTO sightings AS s (shop, kind, id, place, seen_at, gone, document)
SELECT DISTINCT ON (shop COLLATE "C", kind COLLATE "C", id COLLATE "C", place COLLATE "C")
    shop, kind, id, place, seen_at, gone, document
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[],
    $5::timestamptz[], $6::boolean[], $7::jsonb[]
) AS t (shop, kind, id, place, seen_at, gone, document)
ORDER BY shop COLLATE "C", kind COLLATE "C", id COLLATE "C", place COLLATE "C", seen_at DESC,
    gone DESC, document::text DESC
ON CONFLICT (shop, kind, id, place) DO UPDATE SET
    seen_at = excluded.seen_at, gone = excluded.gone, document = excluded.document
WHERE (s.seen_at, s.gone, s.document::text)
    < (excluded.seen_at, excluded.gone, excluded.document::text)
