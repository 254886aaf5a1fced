-- title: Percentiles of several groupings
-- epsilon: 0.1
SELECT region, MEDIAN(cost) AS m FROM visits GROUP BY ROLLUP (region)
