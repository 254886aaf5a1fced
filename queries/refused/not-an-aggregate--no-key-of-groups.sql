-- title: A column beside keys
-- epsilon: 0.1
-- means: SELECT region, sex, COUNT(*) FROM visits GROUP BY region, sex
SELECT region, sex, COUNT(*) FROM visits GROUP BY region
