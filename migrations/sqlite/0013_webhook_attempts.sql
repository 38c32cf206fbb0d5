-- How often a webhook waited on the retry ladder before it was decided. Those of before, and what
-- workers of before go on to write, have none.
ALTER TABLE webhooks ADD COLUMN attempts integer NOT NULL DEFAULT 0;
