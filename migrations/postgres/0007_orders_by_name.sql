-- no-transaction
-- People know an order by its name (#1001), and ask for it among millions.
CREATE INDEX CONCURRENTLY orders_by_name ON orders (name) WHERE name IS NOT NULL;
