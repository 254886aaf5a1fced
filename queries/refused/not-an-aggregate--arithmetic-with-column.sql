-- title: A column beside an aggregate
-- epsilon: 0.1
-- means: SELECT SUM(cost) + age FROM visits GROUP BY age
SELECT SUM(cost) + age FROM visits
