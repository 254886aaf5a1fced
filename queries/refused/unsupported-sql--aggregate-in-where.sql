-- title: An aggregate where a row is looked at
-- epsilon: 0.1
SELECT COUNT(*) FROM visits WHERE SUM(cost) > 3
