-- title: A comparison with the rows of others
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM visits WHERE cost > ALL (SELECT cost FROM visits WHERE age < 10)
