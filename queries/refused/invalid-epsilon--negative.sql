-- title: Less than nothing
-- epsilon: -1
-- means: nothing
SELECT COUNT(*) FROM visits
