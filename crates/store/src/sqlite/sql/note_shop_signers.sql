INSERT INTO shop_signers (shop, secret, last_at)
SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1) WHERE true
ON CONFLICT (shop, secret) DO UPDATE SET last_at = max(last_at, excluded.last_at)
