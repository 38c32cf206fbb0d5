-- Without what the platform also sends for a shop that has removed its app.
SELECT received_at
FROM webhooks
WHERE shop = ?1
  AND topic NOT IN (
    'app/uninstalled', 'customers/data_request', 'customers/redact', 'shop/redact'
  )
ORDER BY envelope_id DESC
LIMIT 1
