-- title: EXPLAIN with an option
-- epsilon: 0.1
-- means: EXPLAIN SELECT COUNT(*) FROM visits
EXPLAIN ANALYZE SELECT COUNT(*) FROM visits
