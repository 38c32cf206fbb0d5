INSERT INTO outbox (kind, shop, order_id, correlation_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[])
