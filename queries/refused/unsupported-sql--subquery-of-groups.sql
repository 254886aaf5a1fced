-- title: A subquery without the unit
-- epsilon: 0.1
-- means: nothing
SELECT AVG(n) FROM (SELECT region, COUNT(*) AS n FROM visits GROUP BY region) AS r
