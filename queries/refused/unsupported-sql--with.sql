-- title: A named subquery
-- epsilon: 0.1
WITH v AS (SELECT * FROM visits) SELECT COUNT(*) FROM v
