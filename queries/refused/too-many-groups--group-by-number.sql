-- title: Groups of a number
-- epsilon: 0.1
-- means: in parts: SELECT cost, COUNT(*) FROM visits WHERE cost < 50 GROUP BY cost
SELECT cost, COUNT(*) FROM visits GROUP BY cost
