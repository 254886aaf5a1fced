-- title: A column after the noise
-- epsilon: 0.1
-- means: SELECT region, COUNT(*) AS n FROM visits WHERE age > 3 GROUP BY region
SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING age > 3
