-- title: A label that the CASE does not give
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM visits WHERE CASE WHEN age > 60 THEN 'old' ELSE 'young' END = 'older'
