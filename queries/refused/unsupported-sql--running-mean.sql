-- title: A running sum of something that is no count
-- epsilon: 0.1
SELECT age, SUM(AVG(cost)) OVER (ORDER BY age) AS so_far FROM visits GROUP BY age
