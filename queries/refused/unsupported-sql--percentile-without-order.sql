-- title: A percentile of nothing
-- epsilon: 0.1
SELECT PERCENTILE_CONT(0.5) FROM visits
