-- Without what the platform also sends for a shop that has removed its app.
SELECT (extract(epoch FROM received_at) * 1000000)::bigint
FROM webhooks
WHERE shop = $1
  AND topic NOT IN (
    'app/uninstalled', 'customers/data_request', 'customers/redact', 'shop/redact'
  )
  AND outcome <> 'claimed'
ORDER BY envelope_id DESC
LIMIT 1
