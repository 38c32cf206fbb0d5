-- Where a webhook's row lies: with its order, or (empty) with what names none.
ALTER TABLE webhooks ADD COLUMN scope text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE dead_letters ADD COLUMN scope text COLLATE "C" NOT NULL DEFAULT '';
