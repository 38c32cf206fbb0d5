-- no-transaction
-- For people who ask for an id alone. Costs next to nothing to keep, and some milliseconds to read.
CREATE INDEX CONCURRENTLY webhooks_by_id ON webhooks
    USING brin (webhook_id text_bloom_ops (n_distinct_per_range = 512, false_positive_rate = 0.01))
    WITH (pages_per_range = 16, autosummarize = on);
