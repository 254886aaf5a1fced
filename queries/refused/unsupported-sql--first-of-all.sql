-- title: An order of everybody's rows
-- epsilon: 0.1
-- means: nothing
SELECT (ARRAY_AGG(cost ORDER BY visited))[1] FROM visits
