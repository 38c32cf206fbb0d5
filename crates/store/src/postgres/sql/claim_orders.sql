-- Locks orders in key order for a locking batch; one that does not exist is claimed at version 0.
INSERT INTO orders AS o (shop, order_id, version, state, short, document)
SELECT shop, order_id, 0, '', false, '{}'
FROM unnest($1::text[], $2::text[]) AS t (shop, order_id)
ORDER BY shop COLLATE "C", order_id COLLATE "C"
ON CONFLICT (shop, order_id) DO UPDATE SET version = o.version
