-- title: The first row of all people
-- epsilon: 0.1
-- means: SELECT COUNT(*) AS n FROM (SELECT * FROM visits QUALIFY ROW_NUMBER() OVER (PARTITION BY patient_id ORDER BY visited) = 1) AS f
SELECT COUNT(*) AS n FROM (SELECT * FROM visits QUALIFY ROW_NUMBER() OVER (ORDER BY visited) = 1) AS f
