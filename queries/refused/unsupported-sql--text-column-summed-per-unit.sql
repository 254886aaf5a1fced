-- title: MIN of a category
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(d) FROM (SELECT patient_id, MIN(diagnosis) AS d FROM visits GROUP BY patient_id) AS p
