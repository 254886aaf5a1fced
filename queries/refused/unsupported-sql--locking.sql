-- title: A lock
-- epsilon: 0.1
-- means: SELECT COUNT(*) FROM visits
SELECT COUNT(*) FROM visits FOR UPDATE
