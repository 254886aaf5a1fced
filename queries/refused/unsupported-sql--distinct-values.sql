-- title: How many values occur
-- epsilon: 0.1
SELECT COUNT(DISTINCT diagnosis) FROM visits
