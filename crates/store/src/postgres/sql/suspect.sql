INSERT INTO suspects AS s (envelope_id, tries)
VALUES ($1::uuid, 1)
ON CONFLICT (envelope_id) DO UPDATE SET tries = s.tries + 1
RETURNING tries
