-- title: A comparison of two columns
-- epsilon: 0.1
SELECT COUNT(*) FROM visits WHERE age > cost
