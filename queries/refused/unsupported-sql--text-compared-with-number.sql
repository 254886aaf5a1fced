-- title: A category compared with a number column
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM visits WHERE region = age
