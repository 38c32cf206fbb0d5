-- What operators paused: a shop, or everything where it names none. A row is there as long as the
-- pause is.
CREATE TABLE pauses (
    shop   text PRIMARY KEY,
    since  integer NOT NULL,
    who    text NOT NULL,
    reason text NOT NULL
) STRICT, WITHOUT ROWID;

-- How many webhooks of a shop came in an hour (counted from 1970). Noted from time to time beside the
-- batches, so a process that dies takes the last few seconds' count with it: a picture, not a book.
CREATE TABLE shop_hours (
    shop     text NOT NULL,
    hour     integer NOT NULL,
    webhooks integer NOT NULL,
    PRIMARY KEY (shop, hour)
) STRICT, WITHOUT ROWID;

-- When the last webhook came that this secret of the shop signed: where the shops file has the secret
-- from, never the secret; empty where the webhook did not tell.
CREATE TABLE shop_signers (
    shop    text NOT NULL,
    secret  text NOT NULL,
    last_at integer NOT NULL,
    PRIMARY KEY (shop, secret)
) STRICT, WITHOUT ROWID;
