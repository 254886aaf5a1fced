-- title: The extreme of one person
-- epsilon: 0.1
-- means: nothing
SELECT MAX(cost) FROM visits
