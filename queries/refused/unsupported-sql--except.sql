-- title: Rows of one query that another one does not have
-- epsilon: 0.1
-- means: in parts: SELECT region, COUNT(*) FROM visits GROUP BY region
SELECT region, COUNT(*) FROM visits GROUP BY region EXCEPT SELECT region, COUNT(*) FROM visits WHERE emergency GROUP BY region
