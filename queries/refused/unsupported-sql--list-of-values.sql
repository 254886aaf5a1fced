-- title: All values
-- epsilon: 0.1
-- means: nothing
SELECT ARRAY_AGG(cost) FROM visits
