-- title: A condition on other rows
-- epsilon: 0.1
-- means: in parts: SELECT AVG(cost) FROM visits
-- means: in parts: SELECT COUNT(*) FROM visits WHERE cost > 250
SELECT COUNT(*) FROM visits WHERE cost > (SELECT AVG(cost) FROM visits)
