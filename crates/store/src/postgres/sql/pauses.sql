SELECT shop, (extract(epoch FROM since) * 1000000)::bigint, who, reason FROM pauses ORDER BY shop
