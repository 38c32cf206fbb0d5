-- What is known of a payment, as one document, and the order that it pays for, if anybody said.
CREATE TABLE payments (
    shop          text COLLATE "C" NOT NULL,
    payment_id    text COLLATE "C" NOT NULL,
    version       bigint NOT NULL,
    state         text NOT NULL,
    order_shop    text COLLATE "C",
    order_id      text COLLATE "C",
    document      jsonb NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop, payment_id)
) WITH (fillfactor = 80);
CREATE INDEX payments_by_order ON payments (order_shop, order_id);
CREATE INDEX payments_by_arrival ON payments (first_seen_at);

-- What operators say that a shop's variant stands for; several items make a kit.
CREATE TABLE listings (
    shop    text COLLATE "C" NOT NULL,
    variant text COLLATE "C" NOT NULL,
    sku     text COLLATE "C" NOT NULL,
    units   bigint NOT NULL CHECK (units > 0),
    PRIMARY KEY (shop, variant, sku)
);

-- What platforms say of their own catalogue and stock; the newest of each thing. Moves nothing.
CREATE TABLE sightings (
    shop     text COLLATE "C" NOT NULL,
    kind     text COLLATE "C" NOT NULL,
    id       text COLLATE "C" NOT NULL,
    place    text COLLATE "C" NOT NULL,
    seen_at  timestamptz NOT NULL,
    gone     boolean NOT NULL,
    document jsonb NOT NULL,
    PRIMARY KEY (shop, kind, id, place)
);

-- What customers ask of whoever holds their data. Ids only, no names and no addresses.
CREATE TABLE privacy_requests (
    id          uuid PRIMARY KEY,
    shop        text COLLATE "C" NOT NULL,
    kind        text NOT NULL,
    customer    text,
    orders      text NOT NULL,
    received_at timestamptz NOT NULL,
    due_at      timestamptz NOT NULL,
    closed_at   timestamptz,
    closed_note text
);
CREATE INDEX dead_letters_by_shop ON dead_letters (shop, id);

-- Orders of which only parts were heard: what a payment without its order is looked for among.
CREATE INDEX orders_partial ON orders (shop, order_id) WHERE state = 'partial';
