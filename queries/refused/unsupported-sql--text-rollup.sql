-- title: Several groupings with text without a public list
-- epsilon: 0.1
-- means: SELECT drug, COUNT(*) AS visits, COUNT(*) FILTER (WHERE sex = 'female') AS female, COUNT(*) FILTER (WHERE sex = 'male') AS male, COUNT(*) FILTER (WHERE sex = 'other') AS other FROM visits GROUP BY ROLLUP (drug)
SELECT drug, COUNT(*) AS visits FROM visits GROUP BY ROLLUP (drug, sex)
