SELECT p.shop, p.payment_id, p.version, p.document
FROM payments AS p
JOIN unnest($1::text[], $2::text[]) AS t (shop, payment_id) USING (shop, payment_id)
