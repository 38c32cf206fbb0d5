SELECT key, what, at
FROM operations
WHERE key < ?1 AND key >= ?2
ORDER BY key DESC
LIMIT ?3
