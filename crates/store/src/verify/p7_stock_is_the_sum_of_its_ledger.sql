-- Versions are unique per stock row, so count = max = version means 1, 2, 3 … without a gap.
SELECT 'P7', s.sku || ' at ' || s.location || ': stock is ' || s.on_hand || '/' || s.committed
    || ' at version ' || s.version || ', the ledger sums to ' || coalesce(l.on_hand, 0) || '/'
    || coalesce(l.committed, 0) || ' in ' || coalesce(l.moves, 0) || ' moves up to version '
    || coalesce(l.last, 0)
FROM stock AS s
LEFT JOIN (
    SELECT sku, location,
           CAST(sum(on_hand_delta) AS bigint) AS on_hand,
           CAST(sum(committed_delta) AS bigint) AS committed,
           count(*) AS moves, max(version) AS last, min(version) AS first
    FROM ledger
    GROUP BY sku, location
) AS l ON l.sku = s.sku AND l.location = s.location
WHERE coalesce(l.on_hand, 0) <> s.on_hand
   OR coalesce(l.committed, 0) <> s.committed
   OR coalesce(l.moves, 0) <> s.version
   OR coalesce(l.last, 0) <> s.version
   OR coalesce(l.first, 1) <> 1
LIMIT $1
