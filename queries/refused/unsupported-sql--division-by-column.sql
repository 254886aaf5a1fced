-- title: A row's value divided by another
-- epsilon: 0.1
SELECT SUM(cost / age) FROM visits
