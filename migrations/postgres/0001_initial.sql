-- The whole of Onhand's memory. Text keys sort by bytes (COLLATE "C"), as the program sorts them:
-- every transaction locks rows in that one order.

-- The inbox: one row per webhook, written once, in the transaction of its effects.
CREATE TABLE webhooks (
    webhook_id  text COLLATE "C" NOT NULL,
    shop        text COLLATE "C" NOT NULL,
    body_hash   bytea NOT NULL,
    envelope_id uuid NOT NULL,
    topic       text NOT NULL,
    order_id    text COLLATE "C",
    outcome     text NOT NULL,
    reason      text,
    detail      text,
    received_at timestamptz NOT NULL,
    decided_at  timestamptz NOT NULL,
    deliveries  bigint NOT NULL DEFAULT 1,
    -- The latest envelopes that repeated it: tells a redelivery from a repeat.
    repeats     uuid[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (webhook_id, shop, body_hash)
);
CREATE INDEX webhooks_by_arrival ON webhooks (envelope_id);
CREATE INDEX webhooks_by_order ON webhooks (shop, order_id) WHERE order_id IS NOT NULL;

-- What is known of an order, as one document, with what people ask for in columns.
CREATE TABLE orders (
    shop               text COLLATE "C" NOT NULL,
    order_id           text COLLATE "C" NOT NULL,
    version            bigint NOT NULL,
    state              text NOT NULL,
    short              boolean NOT NULL,
    name               text,
    financial_status   text,
    fulfillment_status text,
    document           jsonb NOT NULL,
    first_seen_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop, order_id)
) WITH (fillfactor = 80);
CREATE INDEX orders_short ON orders (shop, first_seen_at, order_id) WHERE short;

-- What an order holds, or did, of one stock row.
CREATE TABLE order_stock (
    shop      text COLLATE "C" NOT NULL,
    order_id  text COLLATE "C" NOT NULL,
    sku       text COLLATE "C" NOT NULL,
    location  text COLLATE "C" NOT NULL,
    committed bigint NOT NULL CHECK (committed >= 0),
    shipped   bigint NOT NULL CHECK (shipped >= 0),
    returned  bigint NOT NULL,
    uncovered bigint NOT NULL CHECK (uncovered >= 0),
    PRIMARY KEY (shop, order_id, sku, location)
) WITH (fillfactor = 80);

-- Half-empty pages and no index on what changes: updates of a hot row stay on its page (HOT).
CREATE TABLE stock (
    sku       text COLLATE "C" NOT NULL,
    location  text COLLATE "C" NOT NULL,
    on_hand   bigint NOT NULL,
    committed bigint NOT NULL,
    floor     bigint NOT NULL DEFAULT 0,
    version   bigint NOT NULL,
    PRIMARY KEY (sku, location),
    CONSTRAINT stock_on_hand_not_negative CHECK (on_hand >= 0),
    CONSTRAINT stock_committed_not_negative CHECK (committed >= 0),
    CONSTRAINT stock_floor_not_positive CHECK (floor <= 0),
    CONSTRAINT stock_never_oversold CHECK (on_hand - committed >= floor)
) WITH (fillfactor = 50);

-- Append-only: every move of every stock row, numbered from 1.
CREATE TABLE ledger (
    sku             text COLLATE "C" NOT NULL,
    location        text COLLATE "C" NOT NULL,
    version         bigint NOT NULL,
    kind            text NOT NULL,
    on_hand_delta   bigint NOT NULL,
    committed_delta bigint NOT NULL,
    shop            text COLLATE "C",
    order_id        text COLLATE "C",
    webhook_id      text COLLATE "C",
    correlation_id  uuid NOT NULL,
    reason          text NOT NULL,
    at              timestamptz NOT NULL,
    PRIMARY KEY (sku, location, version)
);
CREATE INDEX ledger_by_order ON ledger (shop, order_id) WHERE order_id IS NOT NULL;

-- Counts of outcomes. One row per connection slot, so that lanes do not queue for one row.
CREATE TABLE counters (
    name  text COLLATE "C" NOT NULL,
    shard integer NOT NULL,
    value bigint NOT NULL,
    PRIMARY KEY (name, shard)
) WITH (fillfactor = 50);

-- What could not be applied, with all that is needed to try again.
CREATE TABLE dead_letters (
    id          uuid PRIMARY KEY,
    shop        text COLLATE "C",
    webhook_id  text COLLATE "C",
    body_hash   bytea,
    topic       text NOT NULL,
    reason      text NOT NULL,
    detail      text NOT NULL,
    attempts    bigint NOT NULL,
    received_at timestamptz NOT NULL,
    died_at     timestamptz NOT NULL,
    deaths      bigint NOT NULL DEFAULT 1,
    -- The envelope as it travelled, raw body and all.
    raw         bytea NOT NULL,
    -- open, replayed or discarded
    state       text NOT NULL DEFAULT 'open',
    closed_at   timestamptz,
    closed_note text
);
CREATE INDEX dead_letters_open ON dead_letters (id) WHERE state = 'open';
CREATE INDEX dead_letters_by_webhook ON dead_letters (webhook_id, shop);

-- What is to be told to the outside, where somebody listens.
CREATE TABLE outbox (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind           text NOT NULL,
    shop           text NOT NULL,
    order_id       text NOT NULL,
    correlation_id uuid NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);

-- Operators' commands, by the key under which each happens once only.
CREATE TABLE operations (
    key  text COLLATE "C" PRIMARY KEY,
    what text NOT NULL,
    at   timestamptz NOT NULL
);

-- Written to see whether the database takes writes.
CREATE TABLE probe (
    id smallint PRIMARY KEY CHECK (id = 1),
    at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Envelopes that may have killed a process, and how often they were tried alone since.
CREATE TABLE suspects (
    envelope_id uuid PRIMARY KEY,
    tries       bigint NOT NULL
);

-- After the statements that compare versions: a row that changed marks the transaction
-- (set_config), and this ends it before anything that rests on the row is written.
CREATE FUNCTION onhand_refuse_conflicts() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('onhand.conflict', true) = 'yes' THEN
        RAISE EXCEPTION 'a row changed since it was read' USING ERRCODE = 'OH409';
    END IF;
END
$$;
