-- Locks payments in key order for a locking batch; one that does not exist is claimed at version 0.
INSERT INTO payments AS p (shop, payment_id, version, state, document)
SELECT shop, payment_id, 0, '', '{}'
FROM unnest($1::text[], $2::text[]) AS t (shop, payment_id)
ORDER BY shop COLLATE "C", payment_id COLLATE "C"
ON CONFLICT (shop, payment_id) DO UPDATE SET version = p.version
