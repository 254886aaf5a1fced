-- title: A misspelt column by itself
-- epsilon: 0.1
-- means: SELECT region, COUNT(*) FROM visits GROUP BY region
SELECT regoin FROM visits
