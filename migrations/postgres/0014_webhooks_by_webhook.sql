-- no-transaction
-- In the place of webhooks_by_id, for people who ask for an id alone: one in a thousand ranges is read in
-- vain, and not one in a hundred. Over ten millions that was most of the time that it took.
CREATE INDEX CONCURRENTLY IF NOT EXISTS webhooks_by_webhook ON webhooks
    USING brin (webhook_id text_bloom_ops (n_distinct_per_range = 2048, false_positive_rate = 0.001))
    WITH (pages_per_range = 64, autosummarize = on);
