-- title: Rows of people
-- epsilon: 0.1
SELECT * FROM visits
