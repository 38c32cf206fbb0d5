SELECT kind, id, place, seen_at, gone, document
FROM sightings
WHERE shop = ?1 AND (kind, id, place) > (?2, ?3, ?4)
ORDER BY kind, id, place
LIMIT ?5
