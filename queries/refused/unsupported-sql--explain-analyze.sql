-- title: EXPLAIN with an option
-- epsilon: 0.1
EXPLAIN ANALYZE SELECT COUNT(*) FROM visits
