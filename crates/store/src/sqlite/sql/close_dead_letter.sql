-- Its body has done all it was kept for.
UPDATE dead_letters SET state = 'replayed', closed_note = ?4, closed_at = ?5, raw = x''
WHERE webhook_id = ?1 AND shop = ?2 AND body_hash = ?3
