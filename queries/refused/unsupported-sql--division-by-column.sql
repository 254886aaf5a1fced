-- title: A row's value divided by another
-- epsilon: 0.1
-- means: nothing
SELECT SUM(cost / age) FROM visits
