-- Nobody shares a SQLite file.
SELECT 1;
