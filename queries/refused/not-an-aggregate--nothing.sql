-- title: Nothing selected
-- epsilon: 0.1
-- means: SELECT COUNT(*) FROM visits
SELECT FROM visits
