-- title: Text for a number
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM visits WHERE cost > 'a lot'
