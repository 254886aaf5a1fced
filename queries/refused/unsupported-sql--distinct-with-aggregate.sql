-- title: DISTINCT that merges groups
-- epsilon: 0.1
SELECT DISTINCT COUNT(*) FROM visits GROUP BY region
