-- An envelope that is known by now was counted by somebody else.
SELECT k.key
FROM json_each(?1) AS k
CROSS JOIN webhooks AS w ON w.webhook_id = k.value ->> 0
    AND w.shop = k.value ->> 1
    AND w.body_hash = k.value ->> 2
WHERE w.envelope_id = k.value ->> 3
   OR EXISTS (SELECT 1 FROM json_each(w.repeats) AS r WHERE r.value = k.value ->> 3)
