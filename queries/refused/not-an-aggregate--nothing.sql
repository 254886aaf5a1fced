-- title: Nothing selected
-- epsilon: 0.1
SELECT FROM visits
