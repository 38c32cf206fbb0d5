DELETE FROM suspects WHERE envelope_id = ANY($1::uuid[])
