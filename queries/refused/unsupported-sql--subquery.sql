-- title: A table made on the way
-- epsilon: 0.1
SELECT COUNT(*) FROM (SELECT * FROM visits) AS v
