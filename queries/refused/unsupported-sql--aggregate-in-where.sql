-- title: An aggregate where a row is looked at
-- epsilon: 0.1
-- means: SELECT COUNT(*) FROM visits HAVING SUM(cost) > 3
SELECT COUNT(*) FROM visits WHERE SUM(cost) > 3
