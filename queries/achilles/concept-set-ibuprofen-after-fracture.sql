-- title: People with ibuprofen within 30 days after a fracture, by decade of age
-- description: Ages in steps of ten years, at the fracture.
-- dataset: omop
-- epsilon: 0.3
-- chart: bar
-- unit: people
SELECT FLOOR((EXTRACT(YEAR FROM c.condition_start_date) - p.year_of_birth) / 10) * 10 AS age, COUNT(DISTINCT c.person_id) AS people
FROM condition_occurrence AS c
JOIN drug_exposure AS d
  ON d.person_id = c.person_id AND d.drug_exposure_start_date BETWEEN c.condition_start_date AND c.condition_start_date + 30
JOIN person AS p ON p.person_id = c.person_id
WHERE c.condition_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 75053)
  AND d.drug_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 1177480)
GROUP BY 1
