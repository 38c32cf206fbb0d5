-- A clock that is ahead has hours that are still to come.
DELETE FROM shop_hours AS h
USING (SELECT shop, max(hour) AS last FROM shop_hours GROUP BY shop) AS newest
WHERE h.shop = newest.shop AND h.hour < least(newest.last, $1::bigint) - $2::bigint
