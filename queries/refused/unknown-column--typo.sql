-- title: A column that is not there
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM visits WHERE colour = 'red'
