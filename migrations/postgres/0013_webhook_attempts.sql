-- How often a webhook waited on the retry ladder before it was decided. Those of before, and what
-- workers of before go on to write, have none.
-- Who verifies reads the table for long; to wait behind that would hold up everybody.
SET LOCAL lock_timeout = '3s';
ALTER TABLE webhooks ADD COLUMN attempts smallint NOT NULL DEFAULT 0;
