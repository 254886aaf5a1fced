-- title: A category that no list names
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM visits WHERE diagnosis = 'plague'
