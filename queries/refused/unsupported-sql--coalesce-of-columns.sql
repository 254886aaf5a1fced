-- title: COALESCE without a constant
-- epsilon: 0.1
SELECT SUM(COALESCE(hba1c, cost)) FROM visits
