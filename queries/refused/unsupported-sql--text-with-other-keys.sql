-- title: Text without a public list beside another key
-- epsilon: 0.1
-- means: SELECT drug, COUNT(*) FILTER (WHERE sex = 'female') AS female, COUNT(*) FILTER (WHERE sex = 'male') AS male, COUNT(*) FILTER (WHERE sex = 'other') AS other FROM visits GROUP BY drug
SELECT drug, sex, COUNT(*) AS visits FROM visits GROUP BY drug, sex
