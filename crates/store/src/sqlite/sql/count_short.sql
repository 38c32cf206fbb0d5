SELECT count(*) FROM (SELECT 1 FROM orders INDEXED BY orders_short WHERE short LIMIT ?1)
