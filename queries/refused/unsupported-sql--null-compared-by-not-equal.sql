-- title: An inequality with NULL
-- epsilon: 0.1
-- means: SELECT COUNT(*) FROM visits WHERE smoker IS NOT NULL
SELECT COUNT(*) FROM visits WHERE smoker <> NULL
