SELECT kind, id, place, (extract(epoch FROM seen_at) * 1000000)::bigint, gone::int::bigint,
       document::text
FROM sightings
WHERE shop = $1 AND (kind, id, place) > ($2, $3, $4)
ORDER BY kind, id, place
LIMIT $5
