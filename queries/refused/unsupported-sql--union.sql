-- title: Different rows of two queries
-- epsilon: 0.1
-- means: SELECT COUNT(*) AS n FROM visits WHERE emergency UNION ALL SELECT COUNT(*) FROM visits WHERE NOT emergency
SELECT COUNT(*) AS n FROM visits WHERE emergency UNION SELECT COUNT(*) FROM visits WHERE NOT emergency
