-- title: A function that is near another one
-- epsilon: 0.1
-- means: nothing
SELECT SUM(SIN(age)) FROM visits
