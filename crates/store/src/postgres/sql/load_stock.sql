-- At all locations of the items.
SELECT sku, location, on_hand, committed, floor, version
FROM stock
WHERE sku = ANY ($1::text[])
