-- title: A column by itself
-- epsilon: 0.1
-- means: SELECT diagnosis, COUNT(*) FROM visits GROUP BY diagnosis
SELECT diagnosis FROM visits
