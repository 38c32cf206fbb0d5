SELECT o.first_seen_at, o.order_id
FROM orders AS o
WHERE o.short AND o.shop = ?1 AND (o.first_seen_at, o.order_id) > (?2, ?3)
  AND EXISTS (
      SELECT 1 FROM json_each(o.document, '$.short.demand') AS demanded
      JOIN stock AS s ON s.sku = demanded.key
      WHERE s.on_hand - s.committed > s.floor
  )
ORDER BY o.first_seen_at, o.order_id
LIMIT ?4
