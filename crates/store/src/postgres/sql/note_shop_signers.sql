-- In the order of the key, so that two workers never wait for each other.
INSERT INTO shop_signers (shop, secret, last_at)
SELECT shop, secret, last_at
FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS new (shop, secret, last_at)
ORDER BY shop COLLATE "C", secret COLLATE "C"
ON CONFLICT (shop, secret)
DO UPDATE SET last_at = greatest(shop_signers.last_at, excluded.last_at)
