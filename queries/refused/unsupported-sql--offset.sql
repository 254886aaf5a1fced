-- title: Rows passed over
-- epsilon: 0.1
SELECT region, COUNT(*) FROM visits GROUP BY region LIMIT 1 OFFSET 1
