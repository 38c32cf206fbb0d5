-- The same tables as for PostgreSQL, in SQLite's types.

CREATE TABLE payments (
    shop          text NOT NULL,
    payment_id    text NOT NULL,
    version       integer NOT NULL,
    state         text NOT NULL,
    order_shop    text,
    order_id      text,
    document      text NOT NULL,
    first_seen_at integer NOT NULL,
    PRIMARY KEY (shop, payment_id)
) STRICT;
CREATE INDEX payments_by_order ON payments (order_shop, order_id);
CREATE INDEX payments_by_arrival ON payments (first_seen_at);

CREATE TABLE listings (
    shop    text NOT NULL,
    variant text NOT NULL,
    sku     text NOT NULL,
    units   integer NOT NULL CHECK (units > 0),
    PRIMARY KEY (shop, variant, sku)
) STRICT, WITHOUT ROWID;

CREATE TABLE sightings (
    shop     text NOT NULL,
    kind     text NOT NULL,
    id       text NOT NULL,
    place    text NOT NULL,
    seen_at  integer NOT NULL,
    gone     integer NOT NULL,
    document text NOT NULL,
    PRIMARY KEY (shop, kind, id, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE privacy_requests (
    id          text PRIMARY KEY,
    shop        text NOT NULL,
    kind        text NOT NULL,
    customer    text,
    orders      text NOT NULL,
    received_at integer NOT NULL,
    due_at      integer NOT NULL,
    closed_at   integer,
    closed_note text
) STRICT;
CREATE INDEX dead_letters_by_shop ON dead_letters (shop, id);

-- Orders of which only parts were heard: what a payment without its order is looked for among.
CREATE INDEX orders_partial ON orders (shop, order_id) WHERE state = 'partial';
