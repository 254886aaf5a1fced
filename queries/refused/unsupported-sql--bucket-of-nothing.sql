-- title: Buckets between two bounds that are the same
-- epsilon: 0.1
SELECT WIDTH_BUCKET(age, 50, 50, 3) AS b, COUNT(*) FROM visits GROUP BY b
