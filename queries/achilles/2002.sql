-- title: People with a measurement, a condition and a drug
-- dataset: omop
-- epsilon: 0.1
-- unit: people
SELECT COUNT(*) AS people
FROM person AS p
WHERE EXISTS (SELECT 1 FROM measurement AS m WHERE m.person_id = p.person_id)
  AND EXISTS (SELECT 1 FROM condition_occurrence AS c WHERE c.person_id = p.person_id)
  AND EXISTS (SELECT 1 FROM drug_exposure AS d WHERE d.person_id = p.person_id)
