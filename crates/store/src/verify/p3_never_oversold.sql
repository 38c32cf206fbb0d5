SELECT 'P3', sku || ' at ' || location || ': on_hand ' || on_hand || ', committed ' || committed
    || ', floor ' || floor
FROM stock
WHERE on_hand < 0 OR committed < 0 OR on_hand - committed < floor
LIMIT $1
