-- ⑤: a webhook that was replayed may have its body here already.
INSERT INTO webhook_bodies (shop, envelope_id, keep_until, raw)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::bytea[])
ON CONFLICT DO NOTHING
