-- title: DISTINCT with an aggregate
-- epsilon: 0.1
SELECT DISTINCT region, COUNT(*) FROM visits GROUP BY region
