-- title: A running sum divided by a count
-- epsilon: 0.1
SELECT age, SUM(COUNT(*)) OVER (ORDER BY age) / COUNT(*) AS share FROM visits GROUP BY age
