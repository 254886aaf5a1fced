-- title: An aggregate of an aggregate
-- epsilon: 0.1
-- means: nothing
SELECT SUM(AVG(cost)) FROM visits
