-- ③ of a commit: payments, in key order, each only from the version that was read.
WITH input AS (
    SELECT * FROM unnest(
        $1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::jsonb[]
    ) WITH ORDINALITY AS t (
        shop, payment_id, version, state, order_shop, order_id, document, place
    )
), written AS (
    INSERT INTO payments AS p (
        shop, payment_id, version, state, order_shop, order_id, document
    )
    SELECT shop, payment_id, version, state, order_shop, order_id, document
    FROM input
    -- One that was there when it was read must not begin anew.
    -- Not EXISTS, for which the whole table may be read.
    WHERE version = 1 OR (
        SELECT true FROM payments AS r
        WHERE r.shop = input.shop AND r.payment_id = input.payment_id
    )
    ORDER BY shop COLLATE "C", payment_id COLLATE "C"
    ON CONFLICT (shop, payment_id) DO UPDATE SET
        version = excluded.version,
        state = excluded.state,
        order_shop = excluded.order_shop,
        order_id = excluded.order_id,
        document = excluded.document
    WHERE p.version = excluded.version - 1
    RETURNING p.shop, p.payment_id
)
SELECT place, set_config('onhand.conflict', 'yes', true)
FROM input
WHERE NOT EXISTS (
    SELECT FROM written AS w WHERE w.shop = input.shop AND w.payment_id = input.payment_id
)
