-- title: A second statement
-- epsilon: 0.1
SELECT COUNT(*) FROM visits; DROP TABLE visits
