SELECT w.webhook_id, w.shop, w.body_hash, w.outcome, w.envelope_id, w.repeats
FROM json_each(?1) AS k
CROSS JOIN webhooks AS w ON w.webhook_id = k.value ->> 0
    AND w.shop = k.value ->> 1
    AND w.body_hash = k.value ->> 2
