-- At once, because the index is there. Workers of before find repeats by the old key: with millions of
-- rows they are slow from here on, though right, so let the new ones take over soon.
ALTER TABLE webhooks
    DROP CONSTRAINT webhooks_pkey,
    ADD CONSTRAINT webhooks_pkey PRIMARY KEY USING INDEX webhooks_key;
