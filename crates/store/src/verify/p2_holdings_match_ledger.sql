-- What an order holds is the sum of the moves made for it: nothing happened twice or halfway.
SELECT 'P2', 'order ' || h.shop || ' ' || h.order_id || ', ' || h.sku || ' at ' || h.location
    || ': holds ' || h.committed || ' committed and ' || (h.returned - h.shipped)
    || ' on hand, its ledger says ' || coalesce(l.committed, 0) || ' and ' || coalesce(l.on_hand, 0)
FROM order_stock AS h
LEFT JOIN (
    SELECT shop, order_id, sku, location,
           CAST(sum(committed_delta) AS bigint) AS committed,
           CAST(sum(on_hand_delta) AS bigint) AS on_hand
    FROM ledger
    WHERE order_id IS NOT NULL
    GROUP BY shop, order_id, sku, location
) AS l ON l.shop = h.shop AND l.order_id = h.order_id
      AND l.sku = h.sku AND l.location = h.location
WHERE coalesce(l.committed, 0) <> h.committed
   OR coalesce(l.on_hand, 0) <> h.returned - h.shipped
LIMIT $1
