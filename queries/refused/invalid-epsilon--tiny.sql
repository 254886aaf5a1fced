-- title: Less than the smallest unit
-- epsilon: 1e-400
SELECT COUNT(*) FROM visits
