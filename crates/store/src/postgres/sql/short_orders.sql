SELECT (extract(epoch FROM o.first_seen_at) * 1000000)::bigint, o.order_id
FROM orders AS o
WHERE o.short AND o.shop = $1 AND (o.first_seen_at, o.order_id) > ($2, $3)
  AND EXISTS (
      SELECT FROM jsonb_object_keys(o.document #> '{short,demand}') AS demanded (sku)
      JOIN stock AS s ON s.sku = demanded.sku
      WHERE s.on_hand - s.committed > s.floor
  )
ORDER BY o.first_seen_at, o.order_id
LIMIT $4
