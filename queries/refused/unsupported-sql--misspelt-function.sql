-- title: A misspelt function
-- epsilon: 0.1
-- means: SELECT MEDIAN(cost) FROM visits
SELECT MEDAIN(cost) FROM visits
