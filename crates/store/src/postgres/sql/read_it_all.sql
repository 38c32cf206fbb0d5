-- Each table once, in its order, by several processes, for as long as it needs. Without nested loops,
-- because a table that is thought to be empty would have the other one read again for each of its rows.
SET LOCAL statement_timeout = 0;
SET LOCAL enable_seqscan = on;
SET LOCAL enable_nestloop = off;
SET LOCAL max_parallel_workers_per_gather TO DEFAULT;
