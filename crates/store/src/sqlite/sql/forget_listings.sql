DELETE FROM listings
WHERE (shop, variant) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1))
