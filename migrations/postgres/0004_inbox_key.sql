-- no-transaction
-- The inbox, keyed so that rows of one time lie together. Webhook ids are random: with millions of rows
-- each insert touched a page of its own, which after every checkpoint goes to the log whole (5 KB for
-- an order that writes 2 KB). Ids of orders grow, so their webhooks' keys grow with them.
CREATE UNIQUE INDEX CONCURRENTLY webhooks_key ON webhooks (shop, scope, webhook_id, body_hash);
