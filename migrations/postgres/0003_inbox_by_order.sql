-- The inbox, keyed so that rows of one time lie together. Webhook ids are random: with millions of rows
-- each insert touched a page of its own, which after every checkpoint goes to the log whole (5 KB for
-- an order that writes 2 KB). Ids of orders grow, so their webhooks' keys grow with them.
ALTER TABLE webhooks ADD COLUMN scope text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE dead_letters ADD COLUMN scope text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE webhooks DROP CONSTRAINT webhooks_pkey;
ALTER TABLE webhooks ADD PRIMARY KEY (shop, scope, webhook_id, body_hash);
-- For people who ask for an id alone. Costs next to nothing to keep, and some milliseconds to read.
CREATE INDEX webhooks_by_id ON webhooks
    USING brin (webhook_id text_bloom_ops (n_distinct_per_range = 512, false_positive_rate = 0.01))
    WITH (pages_per_range = 16, autosummarize = on);
