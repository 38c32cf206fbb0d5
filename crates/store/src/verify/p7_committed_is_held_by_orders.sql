SELECT 'P7', s.sku || ' at ' || s.location || ': ' || s.committed
    || ' units are committed, orders hold ' || coalesce(h.committed, 0)
FROM stock AS s
LEFT JOIN (
    SELECT sku, location, CAST(sum(committed) AS bigint) AS committed
    FROM order_stock
    GROUP BY sku, location
) AS h ON h.sku = s.sku AND h.location = s.location
WHERE coalesce(h.committed, 0) <> s.committed
LIMIT $1
