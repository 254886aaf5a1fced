-- title: Text for a number
-- epsilon: 0.1
SELECT COUNT(*) FROM visits WHERE cost > 'a lot'
