-- title: The first row
-- epsilon: 0.1
-- means: nothing
SELECT * FROM visits LIMIT 1
