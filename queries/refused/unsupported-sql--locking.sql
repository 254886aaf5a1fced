-- title: A lock
-- epsilon: 0.1
SELECT COUNT(*) FROM visits FOR UPDATE
