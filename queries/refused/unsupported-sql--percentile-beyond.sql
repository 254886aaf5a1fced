-- title: A fraction above 1
-- epsilon: 0.1
-- means: nothing
SELECT PERCENTILE_CONT(1.5) WITHIN GROUP (ORDER BY cost) FROM visits
