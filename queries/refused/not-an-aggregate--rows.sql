-- title: Rows of people
-- epsilon: 0.1
-- means: nothing
SELECT * FROM visits
