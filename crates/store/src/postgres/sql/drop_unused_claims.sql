-- What was claimed and then not written leaves no trace.
WITH dropped AS (
    DELETE FROM webhooks AS w
    USING unnest($1::text[], $2::text[], $3::bytea[]) AS t (webhook_id, shop, body_hash)
    WHERE w.webhook_id = t.webhook_id
      AND w.shop = t.shop
      AND w.body_hash = t.body_hash
      AND w.outcome = 'claimed'
), dropped_payments AS (
    DELETE FROM payments AS p
    USING unnest($6::text[], $7::text[]) AS t (shop, payment_id)
    WHERE p.shop = t.shop AND p.payment_id = t.payment_id AND p.version = 0
)
DELETE FROM orders AS o
USING unnest($4::text[], $5::text[]) AS t (shop, order_id)
WHERE o.shop = t.shop AND o.order_id = t.order_id AND o.version = 0
