INSERT INTO webhook_bodies (shop, envelope_id, keep_until, raw) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT DO NOTHING
