-- title: The second value
-- epsilon: 0.1
-- means: nothing
SELECT (ARRAY_AGG(cost ORDER BY visited))[2] FROM visits
