-- title: Rows without a partner
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM visits AS a FULL JOIN visits AS b ON a.patient_id = b.patient_id AND a.visited < b.visited
