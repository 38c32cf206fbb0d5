-- From the end of one page to the end of the next.
DELETE FROM webhook_bodies
WHERE (shop, envelope_id) > (?1, ?2) AND (shop, envelope_id) <= (?3, ?4) AND envelope_id < ?5
