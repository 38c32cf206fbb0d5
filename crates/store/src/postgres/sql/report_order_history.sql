SELECT sku, location, version, kind, on_hand_delta, committed_delta, NULL::bigint, NULL::bigint,
       shop, order_id, webhook_id, correlation_id::text, reason,
       (extract(epoch FROM at) * 1000000)::bigint
FROM ledger
WHERE shop = $1 AND order_id = $2
ORDER BY at DESC, sku DESC, location DESC, version DESC
LIMIT $3
