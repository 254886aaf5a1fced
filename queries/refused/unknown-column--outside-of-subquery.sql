-- title: A column that the subquery does not give
-- epsilon: 0.1
-- means: nothing
SELECT AVG(cost) FROM (SELECT patient_id, SUM(cost) AS total FROM visits GROUP BY patient_id) AS p
