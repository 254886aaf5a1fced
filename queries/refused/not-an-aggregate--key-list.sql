-- title: Keys without an aggregate
-- epsilon: 0.1
SELECT region FROM visits GROUP BY region
