-- title: A misspelt clause
-- epsilon: 0.1
-- means: SELECT COUNT(*) FROM visits WHERE age > 3
SELECT COUNT(*) FROM visits WEHRE age > 3
