-- title: A misspelt column
-- epsilon: 0.1
-- means: SELECT COUNT(*) FROM visits WHERE region = 'north'
SELECT COUNT(*) FROM visits WHERE regio = 'north'
