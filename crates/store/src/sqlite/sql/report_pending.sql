SELECT
    (SELECT count(*) FROM (SELECT 1 FROM dead_letters WHERE state = 'open' ORDER BY id LIMIT ?1)),
    (SELECT count(*) FROM outbox),
    (SELECT count(*) FROM privacy_requests WHERE closed_at IS NULL)
