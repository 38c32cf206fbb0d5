CREATE INDEX webhooks_by_release ON webhooks (decided_by) WHERE decided_by IS NOT NULL;
