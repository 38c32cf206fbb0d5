-- A new webhook must not be there; one that is replayed must be dead.
SELECT k.key
FROM json_each(?1) AS k
LEFT JOIN webhooks AS w ON w.webhook_id = k.value ->> 0
    AND w.shop = k.value ->> 1
    AND w.body_hash = k.value ->> 2
WHERE CASE WHEN k.value ->> 3 THEN coalesce(w.outcome, '') <> 'dead'
           ELSE w.outcome IS NOT NULL END
