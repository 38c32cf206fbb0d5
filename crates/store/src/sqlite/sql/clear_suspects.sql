DELETE FROM suspects WHERE envelope_id IN (SELECT value FROM json_each(?1))
