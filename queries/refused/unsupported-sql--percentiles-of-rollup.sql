-- title: Percentiles of several groupings of which none is the finest
-- epsilon: 0.1
SELECT region, sex, MEDIAN(cost) AS m FROM visits GROUP BY GROUPING SETS ((region), (sex))
