-- title: The extreme of one person
-- epsilon: 0.1
SELECT MAX(cost) FROM visits
