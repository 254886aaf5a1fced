-- title: How many values occur
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(DISTINCT diagnosis) FROM visits
