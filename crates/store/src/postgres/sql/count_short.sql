SELECT count(*) FROM (SELECT FROM orders WHERE short LIMIT $1) AS o
