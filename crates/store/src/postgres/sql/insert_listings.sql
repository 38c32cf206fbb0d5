INSERT INTO listings (shop, variant, sku, units)
SELECT shop, variant, sku, units
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS t (shop, variant, sku, units)
ON CONFLICT (shop, variant, sku) DO UPDATE SET units = excluded.units
