-- Out of their own index, and no further than anybody wants to know.
SELECT count(*) FROM (SELECT 1 FROM orders WHERE short ORDER BY shop, first_seen_at, order_id LIMIT ?1)
