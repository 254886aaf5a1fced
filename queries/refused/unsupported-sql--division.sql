-- title: A division that could fail on a row
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM visits WHERE 1 / cost > 2
