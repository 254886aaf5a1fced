-- title: Ties of nothing
-- epsilon: 0.1
-- means: nothing
SELECT region, COUNT(*) AS n FROM visits GROUP BY region FETCH FIRST 3 ROWS WITH TIES
