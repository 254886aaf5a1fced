-- title: A condition on text without a public list
-- epsilon: 0.1
SELECT COUNT(*) AS visits FROM visits WHERE drug = 'metformin'
