-- title: A bucket range the wrong way round
-- epsilon: 0.1
SELECT WIDTH_BUCKET(age, 80, 20, 3) AS b, COUNT(*) FROM visits GROUP BY b
