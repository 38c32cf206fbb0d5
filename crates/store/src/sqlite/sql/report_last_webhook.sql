SELECT received_at
FROM webhooks
WHERE shop = ?1 AND topic <> 'app/uninstalled'
ORDER BY envelope_id DESC
LIMIT 1
