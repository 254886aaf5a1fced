-- title: An expression of a row
-- epsilon: 0.1
SELECT cost * 2 FROM visits
