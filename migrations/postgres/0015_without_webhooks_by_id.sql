-- no-transaction
DROP INDEX CONCURRENTLY IF EXISTS webhooks_by_id;
