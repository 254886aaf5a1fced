-- title: A comparison with NULL
-- epsilon: 0.1
SELECT COUNT(*) FROM visits WHERE smoker = NULL
