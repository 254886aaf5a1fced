-- title: A sample
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM visits TABLESAMPLE BERNOULLI (10)
