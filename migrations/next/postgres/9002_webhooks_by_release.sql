-- no-transaction
CREATE INDEX CONCURRENTLY webhooks_by_release ON webhooks (decided_by) WHERE decided_by IS NOT NULL;
