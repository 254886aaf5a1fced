-- title: A sample
-- epsilon: 0.1
SELECT COUNT(*) FROM visits TABLESAMPLE BERNOULLI (10)
