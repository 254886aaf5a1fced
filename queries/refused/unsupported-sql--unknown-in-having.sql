-- title: A misspelt output
-- epsilon: 0.1
-- means: SELECT region, COUNT(*) AS visits FROM visits GROUP BY region HAVING visits > 100
SELECT region, COUNT(*) AS visits FROM visits GROUP BY region HAVING vists > 100
