DELETE FROM webhook_bodies
WHERE (shop, envelope_id) IN (
    SELECT shop, envelope_id FROM webhook_bodies WHERE keep_until < ?1 ORDER BY keep_until LIMIT ?2
)
