-- title: A column after the noise
-- epsilon: 0.1
SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING age > 3
