-- title: Two outputs of one name
-- epsilon: 0.1
-- means: SELECT COUNT(*), COUNT(hba1c) AS present FROM visits
SELECT COUNT(*), COUNT(hba1c) FROM visits
