SELECT (extract(epoch FROM received_at) * 1000000)::bigint
FROM webhooks
WHERE shop = $1 AND topic <> 'app/uninstalled' AND outcome <> 'claimed'
ORDER BY envelope_id DESC
LIMIT 1
