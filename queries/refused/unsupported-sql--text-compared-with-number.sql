-- title: A category compared with a number column
-- epsilon: 0.1
SELECT COUNT(*) FROM visits WHERE region = age
