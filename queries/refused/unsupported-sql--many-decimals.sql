-- title: A value on no decimal grid
-- epsilon: 0.1
SELECT SUM(cost / 7.0) FROM visits
