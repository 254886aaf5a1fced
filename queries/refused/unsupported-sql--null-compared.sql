-- title: A comparison with NULL
-- epsilon: 0.1
-- means: SELECT COUNT(*) FROM visits WHERE smoker IS NULL
SELECT COUNT(*) FROM visits WHERE smoker = NULL
