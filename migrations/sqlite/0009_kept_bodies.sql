-- Bodies of webhooks that were applied, for shops that keep them for a while (keep_bodies). Apart from
-- the inbox, whose rows are small and stay.
CREATE TABLE webhook_bodies (
    shop        text NOT NULL,
    envelope_id text NOT NULL,
    keep_until  integer NOT NULL,
    -- The envelope as it travelled, raw body and all: compressed already.
    raw         blob NOT NULL,
    PRIMARY KEY (shop, envelope_id)
) STRICT;
CREATE INDEX webhook_bodies_by_end ON webhook_bodies (keep_until);
