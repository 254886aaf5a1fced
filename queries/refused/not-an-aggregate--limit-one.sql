-- title: The first row
-- epsilon: 0.1
SELECT * FROM visits LIMIT 1
