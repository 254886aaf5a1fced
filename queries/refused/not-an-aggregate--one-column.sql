-- title: A column by itself
-- epsilon: 0.1
SELECT diagnosis FROM visits
