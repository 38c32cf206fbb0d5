-- Bodies of webhooks that were applied, for shops that keep them for a while (keep_bodies). Apart from
-- the inbox, whose rows are small and stay. Ids of envelopes grow, so what comes together lies together.
CREATE TABLE webhook_bodies (
    shop        text COLLATE "C" NOT NULL,
    envelope_id uuid NOT NULL,
    keep_until  timestamptz NOT NULL,
    -- The envelope as it travelled, raw body and all: compressed already.
    raw         bytea NOT NULL,
    PRIMARY KEY (shop, envelope_id)
);
ALTER TABLE webhook_bodies ALTER COLUMN raw SET STORAGE EXTERNAL;
CREATE INDEX webhook_bodies_by_end ON webhook_bodies (keep_until);
