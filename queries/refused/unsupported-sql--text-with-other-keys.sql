-- title: Text without a public list beside another key
-- epsilon: 0.1
SELECT drug, sex, COUNT(*) AS visits FROM visits GROUP BY drug, sex
