-- title: An expression of a row
-- epsilon: 0.1
-- means: nothing
SELECT cost * 2 FROM visits
