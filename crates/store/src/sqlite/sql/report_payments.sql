SELECT p.shop, p.payment_id, p.version, p.document, p.order_shop, p.order_id,
       o.order_id IS NOT NULL, p.first_seen_at
FROM payments AS p
-- What only payments were heard of has not come yet.
LEFT JOIN orders AS o
    ON o.shop = p.order_shop AND o.order_id = p.order_id AND o.state <> 'partial'
WHERE (?1 IS NULL OR p.shop = ?1)
  -- As it is kept, or as its provider names it.
  AND (?6 IS NULL OR p.payment_id = ?6 OR substr(p.payment_id, -length(?6) - 1) = ':' || ?6)
  AND (?2 IS NULL OR (p.order_shop = ?2 AND p.order_id = ?3))
  AND (?4 IS NULL OR (
      o.order_id IS NULL AND p.first_seen_at < ?4
      AND p.state IN ('authorised', 'captured', 'partially_refunded', 'disputed')
  ))
ORDER BY p.first_seen_at DESC, p.shop, p.payment_id
LIMIT ?5
