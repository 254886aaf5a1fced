-- title: A grouping that stands twice
-- epsilon: 0.1
-- means: SELECT region, COUNT(*) FROM visits GROUP BY GROUPING SETS ((region))
SELECT region, COUNT(*) FROM visits GROUP BY GROUPING SETS ((region), (region))
