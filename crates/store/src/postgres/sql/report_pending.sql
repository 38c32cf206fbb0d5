SELECT
    (SELECT count(*) FROM dead_letters WHERE state = 'open'),
    (SELECT count(*) FROM outbox)
