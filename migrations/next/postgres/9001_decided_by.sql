-- Which release decided a webhook; what those of before wrote, and go on to write, has none.
ALTER TABLE webhooks ADD COLUMN decided_by text;
