-- title: Which texts there are, as a list
-- epsilon: 0.1
-- means: SELECT drug, COUNT(*) FROM visits GROUP BY drug
SELECT drug FROM visits GROUP BY drug
