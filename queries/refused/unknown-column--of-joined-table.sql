-- title: A column of a table that is not joined
-- epsilon: 0.1
-- means: SELECT insurer, COUNT(*) FROM visits JOIN patients USING (patient_id) GROUP BY insurer
SELECT insurer, COUNT(*) FROM visits GROUP BY insurer
