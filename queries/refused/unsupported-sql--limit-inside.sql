-- title: Some rows of people
-- epsilon: 0.1
-- means: nothing
SELECT AVG(cost) FROM (SELECT cost FROM visits ORDER BY cost DESC LIMIT 10) AS t
