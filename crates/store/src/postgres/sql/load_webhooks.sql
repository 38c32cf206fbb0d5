-- With its order or, where it was not understood at first, with what names none; and which of them it
-- is. Two programs of different age may have put it at both: then what was applied counts. Each is
-- looked up by its whole key, and the second only if it matters.
SELECT t.webhook_id, t.shop, t.body_hash, coalesce(b.outcome, a.outcome),
       coalesce(b.envelope_id, a.envelope_id), coalesce(b.repeats, a.repeats),
       CASE WHEN b.outcome IS NULL THEN t.scope ELSE '' END
FROM (
    SELECT unnest($1::text[]) AS webhook_id, unnest($2::text[]) AS shop,
           unnest($3::bytea[]) AS body_hash, unnest($4::text[]) AS scope
) AS t
LEFT JOIN LATERAL (
    SELECT w.outcome, w.envelope_id, w.repeats FROM webhooks AS w
    WHERE w.shop = t.shop AND w.scope = t.scope
      AND w.webhook_id = t.webhook_id AND w.body_hash = t.body_hash
    OFFSET 0
) AS a ON true
LEFT JOIN LATERAL (
    SELECT w.outcome, w.envelope_id, w.repeats FROM webhooks AS w
    WHERE t.scope <> '' AND coalesce(a.outcome, 'dead') = 'dead'
      AND w.shop = t.shop AND w.scope = ''
      AND w.webhook_id = t.webhook_id AND w.body_hash = t.body_hash
    OFFSET 0
) AS b ON true
WHERE coalesce(a.outcome, b.outcome) IS NOT NULL
