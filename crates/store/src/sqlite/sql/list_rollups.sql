SELECT at, counts FROM rollups WHERE step = ?1 AND at >= ?2 AND at < ?3 ORDER BY at
