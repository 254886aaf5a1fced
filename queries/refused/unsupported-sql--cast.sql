-- title: A cast that could fail on a row
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM visits WHERE CAST(diagnosis AS INTEGER) = 1
