-- title: One of a list
-- epsilon: 0.1
SELECT COUNT(*) FROM visits WHERE region IN ('north', 'up')
