-- title: DISTINCT beside an aggregate, without groups
-- epsilon: 0.1
-- means: SELECT region, COUNT(*) FROM visits GROUP BY region
SELECT DISTINCT region, COUNT(*) FROM visits
