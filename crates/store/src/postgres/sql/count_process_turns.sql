-- Who has the turn, or waits for it. That the table is visible is asked so that LOCK finds its rows of
-- the catalog in the session's cache: who looks them up and then waits, waits with a snapshot.
SELECT count(*)
FROM pg_locks
WHERE pg_table_is_visible('process_turn'::regclass)
  AND locktype = 'relation' AND relation = 'process_turn'::regclass AND mode = 'ExclusiveLock'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
