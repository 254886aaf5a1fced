-- title: A sum of text
-- epsilon: 0.1
-- means: nothing
SELECT SUM(region) FROM visits
