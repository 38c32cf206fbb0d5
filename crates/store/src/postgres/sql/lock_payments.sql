-- Locks the payments that exist, in key order, for a locking batch.
SELECT FROM payments AS p
JOIN unnest($1::text[], $2::text[]) AS t (shop, payment_id) USING (shop, payment_id)
ORDER BY p.shop, p.payment_id
FOR NO KEY UPDATE OF p
