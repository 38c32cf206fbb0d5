SELECT sku, location, version, kind, on_hand_delta, committed_delta, NULL, NULL,
       shop, order_id, webhook_id, correlation_id, reason, at
FROM ledger
WHERE sku = ?1 AND location = ?2 AND version < ?3
ORDER BY version DESC
LIMIT ?4
