SELECT
    (SELECT count(*) FROM orders),
    (SELECT count(*) FROM stock),
    (SELECT count(*) FROM ledger),
    (SELECT count(*) FROM webhooks)
