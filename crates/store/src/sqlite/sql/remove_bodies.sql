DELETE FROM webhook_bodies
WHERE shop = ?1 AND envelope_id IN (SELECT value FROM json_each(?2))
