-- title: More cells than one answer holds
-- epsilon: 0.1
-- means: in parts: SELECT visited, age, COUNT(*) FROM visits WHERE visited < DATE '2021-01-01' GROUP BY visited, age
SELECT visited, age, COUNT(*) FROM visits GROUP BY visited, age
