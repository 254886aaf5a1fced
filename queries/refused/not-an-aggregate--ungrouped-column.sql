-- title: A column beside an aggregate
-- epsilon: 0.1
-- means: SELECT age, COUNT(*) FROM visits GROUP BY age
SELECT age, COUNT(*) FROM visits
