-- title: A condition on other rows
-- epsilon: 0.1
SELECT COUNT(*) FROM visits WHERE cost > (SELECT AVG(cost) FROM visits)
