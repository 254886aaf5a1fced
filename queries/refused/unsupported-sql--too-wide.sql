-- title: A product beyond 62 bits
-- epsilon: 0.1
-- means: nothing
SELECT SUM(cost * cost * cost * cost) FROM visits
