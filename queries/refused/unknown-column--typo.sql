-- title: A column that is not there
-- epsilon: 0.1
SELECT COUNT(*) FROM visits WHERE colour = 'red'
