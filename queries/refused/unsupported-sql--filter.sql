-- title: A condition inside an aggregate
-- epsilon: 0.1
SELECT COUNT(*) FILTER (WHERE emergency) FROM visits
