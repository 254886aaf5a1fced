-- title: A period of something that is no date
-- epsilon: 0.1
-- means: nothing
SELECT DATE_TRUNC('month', age) AS m, COUNT(*) FROM visits GROUP BY m
