INSERT INTO shop_hours (shop, hour, webhooks)
SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1) WHERE true
ON CONFLICT (shop, hour) DO UPDATE SET webhooks = webhooks + excluded.webhooks
