-- title: One of a list
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM visits WHERE region IN ('north', 'up')
