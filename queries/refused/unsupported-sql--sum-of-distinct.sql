-- title: A sum of distinct values
-- epsilon: 0.1
-- means: nothing
SELECT SUM(DISTINCT cost) FROM visits
