-- title: Several groupings with text without a public list
-- epsilon: 0.1
SELECT drug, COUNT(*) AS visits FROM visits GROUP BY ROLLUP (drug, sex)
