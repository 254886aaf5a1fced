-- title: An alias of the table
-- epsilon: 0.1
SELECT COUNT(*) FROM visits AS v
