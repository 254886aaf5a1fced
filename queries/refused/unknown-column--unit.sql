-- title: A condition on one person
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM visits WHERE patient_id = 17
