-- ④ of a commit: orders, new ones first, each only from the version that was read.
WITH input AS (
    SELECT * FROM unnest(
        $1::text[], $2::text[], $3::bigint[], $4::text[], $5::boolean[],
        $6::text[], $7::text[], $8::text[], $9::jsonb[]
    ) WITH ORDINALITY AS t (
        shop, order_id, version, state, short,
        name, financial_status, fulfillment_status, document, place
    )
), written AS (
    INSERT INTO orders AS o (
        shop, order_id, version, state, short,
        name, financial_status, fulfillment_status, document
    )
    SELECT
        shop, order_id, version, state, short,
        name, financial_status, fulfillment_status, document
    FROM input
    -- One that was there when it was read must not begin anew.
    -- Not EXISTS, for which the whole table may be read.
    WHERE version = 1 OR (
        SELECT true FROM orders AS r WHERE r.shop = input.shop AND r.order_id = input.order_id
    )
    ORDER BY place
    ON CONFLICT (shop, order_id) DO UPDATE SET
        version = excluded.version,
        state = excluded.state,
        short = excluded.short,
        name = excluded.name,
        financial_status = excluded.financial_status,
        fulfillment_status = excluded.fulfillment_status,
        document = excluded.document
    WHERE o.version = excluded.version - 1
    RETURNING o.shop, o.order_id
)
SELECT place, set_config('onhand.conflict', 'yes', true)
FROM input
WHERE NOT EXISTS (
    SELECT FROM written AS w WHERE w.shop = input.shop AND w.order_id = input.order_id
)
