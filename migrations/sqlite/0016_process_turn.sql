-- A SQLite file has one writer at a time anyway.
SELECT 1;
