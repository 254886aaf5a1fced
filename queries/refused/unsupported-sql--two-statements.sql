-- title: A second statement
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM visits; DROP TABLE visits
