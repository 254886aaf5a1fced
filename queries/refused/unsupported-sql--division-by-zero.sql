-- title: A constant that cannot divide
-- epsilon: 0.1
-- means: nothing
SELECT SUM(cost / 0) FROM visits
