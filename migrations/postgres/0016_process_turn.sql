-- Nothing is ever in it. Whoever locks it has the turn among processes: a lock of a table, and not an
-- advisory one, because who waits for it has no snapshot, so that dead row versions can go meanwhile.
CREATE TABLE process_turn ();
