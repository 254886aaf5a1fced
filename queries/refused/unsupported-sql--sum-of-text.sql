-- title: A sum of text
-- epsilon: 0.1
SELECT SUM(region) FROM visits
