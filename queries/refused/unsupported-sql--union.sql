-- title: Two queries in one
-- epsilon: 0.1
SELECT COUNT(*) FROM visits UNION SELECT COUNT(*) FROM visits
