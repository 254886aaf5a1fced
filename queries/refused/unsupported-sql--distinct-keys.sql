-- title: Values that occur
-- epsilon: 0.1
SELECT DISTINCT diagnosis FROM visits
