-- The reverse: what the ledger moved for an order, the order knows of.
SELECT 'P2', 'order ' || l.shop || ' ' || l.order_id || ', ' || l.sku || ' at ' || l.location
    || ': its ledger says ' || sum(l.committed_delta) || ' committed and '
    || sum(l.on_hand_delta) || ' on hand, it holds nothing'
FROM ledger AS l
WHERE l.order_id IS NOT NULL
  AND NOT EXISTS (
    SELECT 1 FROM order_stock AS h
    WHERE h.shop = l.shop AND h.order_id = l.order_id
      AND h.sku = l.sku AND h.location = l.location
  )
GROUP BY l.shop, l.order_id, l.sku, l.location
LIMIT $1
