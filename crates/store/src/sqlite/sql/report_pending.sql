SELECT
    (SELECT count(*) FROM dead_letters WHERE state = 'open'),
    (SELECT count(*) FROM outbox),
    (SELECT count(*) FROM privacy_requests WHERE closed_at IS NULL)
