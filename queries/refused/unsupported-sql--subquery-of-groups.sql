-- title: A spread over groups
-- epsilon: 0.1
-- means: nothing
SELECT STDDEV(n) FROM (SELECT region, COUNT(*) AS n FROM visits GROUP BY region) AS r
