SELECT
    (SELECT count(*) FROM (SELECT 1 FROM dead_letters WHERE state = 'open' ORDER BY id LIMIT ?1)),
    (SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT ?1)),
    (SELECT count(*) FROM (SELECT 1 FROM privacy_requests WHERE closed_at IS NULL LIMIT ?1))
