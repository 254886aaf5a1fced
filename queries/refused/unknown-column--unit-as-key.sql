-- title: One group a person
-- epsilon: 0.1
-- means: nothing
SELECT patient_id, COUNT(*) FROM visits GROUP BY patient_id
