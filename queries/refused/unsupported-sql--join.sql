-- title: Two tables
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM visits JOIN people ON visits.patient_id = people.id
