-- title: A column beside an aggregate
-- epsilon: 0.1
SELECT age, COUNT(*) FROM visits
