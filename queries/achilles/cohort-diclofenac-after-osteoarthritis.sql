-- title: People whose first diclofenac came within 30 days after their first osteoarthritis
-- dataset: omop
-- epsilon: 0.2
-- unit: people
WITH osteoarthritis AS (
  SELECT person_id, MIN(condition_start_date) AS first_day
  FROM condition_occurrence
  WHERE condition_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 80180)
  GROUP BY person_id
), diclofenac AS (
  SELECT person_id, MIN(drug_exposure_start_date) AS first_day
  FROM drug_exposure
  WHERE drug_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 1124300)
  GROUP BY person_id
)
SELECT p.gender_concept_id, COUNT(*) AS people
FROM osteoarthritis AS o
JOIN diclofenac AS d ON d.person_id = o.person_id
JOIN person AS p ON p.person_id = o.person_id
WHERE d.first_day BETWEEN o.first_day AND o.first_day + 30
GROUP BY p.gender_concept_id
