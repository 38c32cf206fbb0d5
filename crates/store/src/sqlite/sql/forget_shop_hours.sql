-- A clock that is ahead has hours that are still to come.
DELETE FROM shop_hours
WHERE hour < min((SELECT max(n.hour) FROM shop_hours AS n WHERE n.shop = shop_hours.shop), ?1) - ?2
