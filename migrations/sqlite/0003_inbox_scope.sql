-- What PostgreSQL changes here is about its log; a SQLite file has no such cost.
SELECT 1;
