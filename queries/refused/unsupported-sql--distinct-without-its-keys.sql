-- title: Groups that DISTINCT would merge
-- epsilon: 0.1
-- means: nothing
SELECT DISTINCT COUNT(*) FROM visits GROUP BY region
