-- title: A column beside an aggregate
-- epsilon: 0.1
SELECT SUM(cost) + age FROM visits
