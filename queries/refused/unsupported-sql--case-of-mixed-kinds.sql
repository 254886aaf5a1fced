-- title: A CASE of texts and numbers
-- epsilon: 0.1
-- means: nothing
SELECT CASE WHEN age > 3 THEN 'a' ELSE cost END AS k, COUNT(*) FROM visits GROUP BY k
