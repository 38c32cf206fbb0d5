-- What comes of itself after an app was removed does not say that it is back. The bound keeps the
-- search to what came since then, however much came before.
SELECT received_at
FROM webhooks
WHERE shop = ?1 AND envelope_id > ?2
  AND topic NOT IN (
      'app/uninstalled', 'customers/data_request', 'customers/redact', 'shop/redact'
  )
ORDER BY envelope_id DESC
LIMIT 1
