-- title: A condition on text without a public list
-- epsilon: 0.1
-- means: SELECT drug, COUNT(*) AS visits FROM visits GROUP BY drug
SELECT COUNT(*) AS visits FROM visits WHERE drug = 'metformin'
