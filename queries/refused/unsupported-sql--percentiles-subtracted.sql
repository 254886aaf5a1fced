-- title: A difference of percentiles
-- epsilon: 0.1
SELECT PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY cost) - MEDIAN(cost) AS iqr FROM visits
