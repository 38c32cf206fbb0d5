SELECT count(*)
FROM payments AS p
WHERE p.first_seen_at < ?1 AND p.first_seen_at > ?1 - 30 * 24 * 3600 * 1000000
  AND p.state IN ('authorised', 'captured', 'partially_refunded', 'disputed')
  AND NOT EXISTS (
      SELECT 1 FROM orders AS o
      WHERE o.shop = p.order_shop AND o.order_id = p.order_id
        -- Of a partial one only payments and other parts were heard.
        AND o.state <> 'partial'
  )
