SELECT raw FROM webhook_bodies WHERE shop = ?1 AND envelope_id = ?2
