-- What the pages show beside the earlier orders: ITEMS items, SHORT orders that lack one of them,
-- LETTERS dead letters of three reasons, and what came in the hours of a week. The newest orders
-- and webhooks are those of the items, so that all of the pages have something to show.
INSERT INTO stock
SELECT 'ITEM-' || lpad(i::text, 6, '0'), 'main', 10, 1, 0, 2 FROM generate_series(1, ITEMS) AS i;
INSERT INTO ledger
SELECT 'ITEM-' || lpad(i::text, 6, '0'), 'main', 1, 'opening', 10, 0, NULL, NULL, NULL,
       gen_random_uuid(), 'opening', now()
FROM generate_series(1, ITEMS) AS i;
INSERT INTO ledger
SELECT 'ITEM-' || lpad(i::text, 6, '0'), 'main', 2, 'commit', 0, 1, 'demo',
       (5000000000000 + i)::text, md5('i' || i)::uuid::text, gen_random_uuid(), 'orders/create', now()
FROM generate_series(1, ITEMS) AS i;
INSERT INTO orders (shop, order_id, version, state, short, name, financial_status, document)
SELECT 'demo', (5000000000000 + i)::text, 1, 'committed', false, '#I' || i, 'paid',
       replace($DOC$, 'OLD', 'ITEM-' || lpad(i::text, 6, '0'))::DOCTYPE
FROM generate_series(1, ITEMS) AS i;
INSERT INTO order_stock
SELECT 'demo', (5000000000000 + i)::text, 'ITEM-' || lpad(i::text, 6, '0'), 'main', 1, 0, 0, 0
FROM generate_series(1, ITEMS) AS i;
INSERT INTO webhooks (webhook_id, shop, body_hash, envelope_id, topic, order_id, outcome,
                      received_at, decided_at, scope)
SELECT md5('i' || i)::uuid::text, 'demo', decode(md5('i' || i), 'hex'),
       ('01a00000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, 'orders/create',
       (5000000000000 + i)::text, 'applied', now(), now(), (5000000000000 + i)::text
FROM generate_series(1, ITEMS) AS i;
INSERT INTO counters VALUES ('applied', 62, ITEMS);

INSERT INTO orders (shop, order_id, version, state, short, name, financial_status, document)
SELECT 'demo', (6000000000000 + i)::text, 1, 'short', true, '#S' || i, 'pending',
       jsonb_set(
           replace($DOC$, 'OLD', 'ITEM-' || lpad((i % ITEMS + 1)::text, 6, '0'))::jsonb,
           '{short}',
           jsonb_build_object(
               'demand', jsonb_build_object('ITEM-' || lpad((i % ITEMS + 1)::text, 6, '0'), 50)
           )
       )::DOCTYPE
FROM generate_series(1, SHORT) AS i;

INSERT INTO dead_letters (id, shop, webhook_id, body_hash, topic, reason, detail, attempts,
                          received_at, died_at, raw)
SELECT ('01900000-0000-7000-9000-' || lpad(to_hex(i), 12, '0'))::uuid, 'demo',
       md5('d' || i)::uuid::text, decode(md5(i::text), 'hex'), 'orders/create',
       -- The last is of the oldest hundred alone: a page of it looks behind all others.
       CASE WHEN i <= 100 THEN 'poison' WHEN i % 10 = 0 THEN 'malformed' ELSE 'unknown_sku' END,
       'no item has this SKU', 0, now(), now(), decode(repeat(md5(i::text), 16), 'hex')
FROM generate_series(1, LETTERS) AS i;
-- One of them with its webhook, among those of all orders.
INSERT INTO webhooks (webhook_id, shop, body_hash, envelope_id, topic, outcome, reason, detail,
                      received_at, decided_at)
SELECT webhook_id, shop, body_hash, id, topic, 'dead', reason, detail, received_at, died_at
FROM dead_letters WHERE id = '01900000-0000-7000-9000-000000001000';
INSERT INTO counters VALUES ('dead', 62, 1);

INSERT INTO shop_hours
SELECT 'demo', hour, 1000
FROM generate_series(extract(epoch FROM now())::bigint / 3600 - 200,
                     extract(epoch FROM now())::bigint / 3600) AS hour;
