-- title: A percentile of nothing
-- epsilon: 0.1
-- means: SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY cost) FROM visits
SELECT PERCENTILE_CONT(0.5) FROM visits
