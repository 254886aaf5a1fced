-- title: More cells than one answer holds
-- epsilon: 0.1
SELECT visited, age, COUNT(*) FROM visits GROUP BY visited, age
