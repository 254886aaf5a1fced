-- title: A ratio of percentiles
-- epsilon: 0.1
-- means: in parts: SELECT PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY cost) AS upper, MEDIAN(cost) AS middle FROM visits
SELECT PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY cost) / MEDIAN(cost) AS ratio FROM visits
