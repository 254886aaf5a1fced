-- title: Which texts there are, as a list
-- epsilon: 0.1
SELECT drug FROM visits GROUP BY drug
