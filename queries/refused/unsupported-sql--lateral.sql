-- title: A query for each row
-- epsilon: 0.1
-- means: SELECT AVG(t.most) FROM visits AS a JOIN (SELECT patient_id, MAX(cost) AS most FROM visits GROUP BY patient_id) AS t USING (patient_id)
SELECT AVG(t.most) FROM visits AS a, LATERAL (SELECT MAX(cost) AS most FROM visits AS b WHERE b.patient_id = a.patient_id) AS t
