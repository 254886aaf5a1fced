-- title: Nothing
-- epsilon: 0
-- means: nothing
SELECT COUNT(*) FROM visits
