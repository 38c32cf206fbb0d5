-- Takes the advisory locks of items until the transaction ends, in one order. Two names that hash
-- alike only wait for each other in vain.
SELECT pg_advisory_xact_lock(lock)
FROM (
    SELECT DISTINCT hashtextextended(sku, 0) AS lock
    FROM unnest($1::text[]) AS t (sku)
    ORDER BY lock
    OFFSET 0
) AS locks
