-- title: A misspelt table
-- epsilon: 0.1
-- means: SELECT COUNT(*) FROM visits
SELECT COUNT(*) FROM vists
