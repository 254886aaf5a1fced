-- title: Percentiles of several groupings of which none is the finest
-- epsilon: 0.1
-- means: in parts: SELECT region, MEDIAN(cost) AS m FROM visits GROUP BY region
-- means: in parts: SELECT sex, MEDIAN(cost) AS m FROM visits GROUP BY sex
SELECT region, sex, MEDIAN(cost) AS m FROM visits GROUP BY GROUPING SETS ((region), (sex))
