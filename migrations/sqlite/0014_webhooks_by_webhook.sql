-- In a SQLite file the inbox is keyed by ids of webhooks.
SELECT 1;
