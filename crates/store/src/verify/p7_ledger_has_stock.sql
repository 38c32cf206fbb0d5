SELECT DISTINCT 'P7', 'the ledger moves ' || l.sku || ' at ' || l.location
    || ', which has no stock row'
FROM ledger AS l
WHERE NOT EXISTS (
    SELECT 1 FROM stock AS s WHERE s.sku = l.sku AND s.location = l.location
)
LIMIT $1
