-- title: Two queries in one
-- epsilon: 0.1
-- means: in parts: SELECT COUNT(*) FROM visits
SELECT COUNT(*) FROM visits UNION SELECT COUNT(*) FROM visits
