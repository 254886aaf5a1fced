-- title: A window with a name
-- epsilon: 0.1
-- means: SELECT region, SUM(COUNT(*)) OVER (ORDER BY region) FROM visits GROUP BY region
SELECT region, SUM(COUNT(*)) OVER w FROM visits GROUP BY region WINDOW w AS (ORDER BY region)
