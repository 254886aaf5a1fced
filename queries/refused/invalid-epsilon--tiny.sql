-- title: Less than the smallest unit
-- epsilon: 1e-400
-- means: nothing
SELECT COUNT(*) FROM visits
