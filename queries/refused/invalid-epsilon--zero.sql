-- title: Nothing
-- epsilon: 0
SELECT COUNT(*) FROM visits
