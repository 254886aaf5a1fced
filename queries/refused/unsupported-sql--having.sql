-- title: Groups filtered
-- epsilon: 0.1
SELECT region, COUNT(*) FROM visits GROUP BY region HAVING COUNT(*) > 3
