-- title: More than one query may cost
-- epsilon: 1.1
-- means: epsilon: 1
SELECT COUNT(*) FROM visits
