-- ② of a commit: the inbox rows, as they lie in the inbox: ever more to the right. In the list and not
-- in FROM, as in all that a new order needs: there each column would be written into a table first.
INSERT INTO webhooks (
    webhook_id, shop, body_hash, envelope_id, topic, order_id,
    outcome, reason, detail, received_at, decided_at, scope, attempts
)
SELECT
    unnest($1::text[]), unnest($2::text[]), unnest($3::bytea[]), unnest($4::uuid[]),
    unnest($5::text[]), unnest($6::text[]), unnest($7::text[]), unnest($8::text[]),
    unnest($9::text[]), unnest($10::timestamptz[]), unnest($11::timestamptz[]),
    unnest($12::text[]), unnest($13::smallint[])
