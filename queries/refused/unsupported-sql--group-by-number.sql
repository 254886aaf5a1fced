-- title: Groups of a number
-- epsilon: 0.1
SELECT cost, COUNT(*) FROM visits GROUP BY cost
