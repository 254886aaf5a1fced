-- title: A name of the sealed table
-- epsilon: 0.1
-- means: nothing
SELECT SUM(c7) FROM visits WHERE rank = 0
