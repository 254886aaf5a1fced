-- title: Buckets of no width
-- epsilon: 0.1
-- means: nothing
SELECT WIDTH_BUCKET(age, 20, 20, 3) AS b, COUNT(*) FROM visits GROUP BY b
