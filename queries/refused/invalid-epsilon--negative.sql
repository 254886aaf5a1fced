-- title: Less than nothing
-- epsilon: -1
SELECT COUNT(*) FROM visits
