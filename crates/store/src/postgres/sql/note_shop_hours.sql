-- In the order of the key, so that two workers never wait for each other.
INSERT INTO shop_hours (shop, hour, webhooks)
SELECT shop, hour, webhooks
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS new (shop, hour, webhooks)
ORDER BY shop COLLATE "C", hour
ON CONFLICT (shop, hour) DO UPDATE SET webhooks = shop_hours.webhooks + excluded.webhooks
