-- The same tables as for PostgreSQL, in SQLite's types: ids and hashes as text, moments as
-- microseconds since 1970 in UTC.

CREATE TABLE webhooks (
    webhook_id  text NOT NULL,
    shop        text NOT NULL,
    body_hash   text NOT NULL,
    envelope_id text NOT NULL,
    topic       text NOT NULL,
    order_id    text,
    outcome     text NOT NULL,
    reason      text,
    detail      text,
    received_at integer NOT NULL,
    decided_at  integer NOT NULL,
    deliveries  integer NOT NULL DEFAULT 1,
    -- The latest envelopes that repeated it, as a JSON array.
    repeats     text NOT NULL DEFAULT '[]',
    PRIMARY KEY (webhook_id, shop, body_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhooks_by_arrival ON webhooks (envelope_id);
CREATE INDEX webhooks_by_order ON webhooks (shop, order_id) WHERE order_id IS NOT NULL;

CREATE TABLE orders (
    shop               text NOT NULL,
    order_id           text NOT NULL,
    version            integer NOT NULL,
    state              text NOT NULL,
    short              integer NOT NULL,
    name               text,
    financial_status   text,
    fulfillment_status text,
    document           text NOT NULL,
    first_seen_at      integer NOT NULL,
    PRIMARY KEY (shop, order_id)
) STRICT;
CREATE INDEX orders_short ON orders (shop, first_seen_at, order_id) WHERE short;

CREATE TABLE order_stock (
    shop      text NOT NULL,
    order_id  text NOT NULL,
    sku       text NOT NULL,
    location  text NOT NULL,
    committed integer NOT NULL CHECK (committed >= 0),
    shipped   integer NOT NULL CHECK (shipped >= 0),
    returned  integer NOT NULL,
    uncovered integer NOT NULL CHECK (uncovered >= 0),
    PRIMARY KEY (shop, order_id, sku, location)
) STRICT, WITHOUT ROWID;

CREATE TABLE stock (
    sku       text NOT NULL,
    location  text NOT NULL,
    on_hand   integer NOT NULL,
    committed integer NOT NULL,
    floor     integer NOT NULL DEFAULT 0,
    version   integer NOT NULL,
    PRIMARY KEY (sku, location),
    CONSTRAINT stock_on_hand_not_negative CHECK (on_hand >= 0),
    CONSTRAINT stock_committed_not_negative CHECK (committed >= 0),
    CONSTRAINT stock_floor_not_positive CHECK (floor <= 0),
    CONSTRAINT stock_never_oversold CHECK (on_hand - committed >= floor)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
    sku             text NOT NULL,
    location        text NOT NULL,
    version         integer NOT NULL,
    kind            text NOT NULL,
    on_hand_delta   integer NOT NULL,
    committed_delta integer NOT NULL,
    shop            text,
    order_id        text,
    webhook_id      text,
    correlation_id  text NOT NULL,
    reason          text NOT NULL,
    at              integer NOT NULL,
    PRIMARY KEY (sku, location, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_by_order ON ledger (shop, order_id) WHERE order_id IS NOT NULL;

CREATE TABLE counters (
    name  text NOT NULL,
    shard integer NOT NULL,
    value integer NOT NULL,
    PRIMARY KEY (name, shard)
) STRICT, WITHOUT ROWID;

CREATE TABLE dead_letters (
    id          text PRIMARY KEY,
    shop        text,
    webhook_id  text,
    body_hash   text,
    topic       text NOT NULL,
    reason      text NOT NULL,
    detail      text NOT NULL,
    attempts    integer NOT NULL,
    received_at integer NOT NULL,
    died_at     integer NOT NULL,
    deaths      integer NOT NULL DEFAULT 1,
    raw         blob NOT NULL,
    state       text NOT NULL DEFAULT 'open',
    closed_at   integer,
    closed_note text
) STRICT;
CREATE INDEX dead_letters_open ON dead_letters (id) WHERE state = 'open';
CREATE INDEX dead_letters_by_webhook ON dead_letters (webhook_id, shop);

CREATE TABLE outbox (
    id             integer PRIMARY KEY AUTOINCREMENT,
    kind           text NOT NULL,
    shop           text NOT NULL,
    order_id       text NOT NULL,
    correlation_id text NOT NULL,
    created_at     integer NOT NULL
) STRICT;

CREATE TABLE operations (
    key  text PRIMARY KEY,
    what text NOT NULL,
    at   integer NOT NULL
) STRICT, WITHOUT ROWID;

-- Written to see whether the database takes writes.
CREATE TABLE probe (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE suspects (
    envelope_id text PRIMARY KEY,
    tries       integer NOT NULL
) STRICT, WITHOUT ROWID;
