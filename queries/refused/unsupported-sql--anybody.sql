-- title: Whether there is anybody
-- epsilon: 0.1
-- means: SELECT COUNT(*) FILTER (WHERE cost > 1900) > 0 AS anybody FROM visits
SELECT BOOL_OR(cost > 1900) FROM visits
