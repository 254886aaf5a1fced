-- title: Two outputs of one name
-- epsilon: 0.1
SELECT COUNT(*), COUNT(hba1c) FROM visits
