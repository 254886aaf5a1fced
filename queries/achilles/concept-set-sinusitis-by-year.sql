-- title: People with sinusitis of any kind by year and gender
-- dataset: omop
-- epsilon: 0.4
-- unit: people
SELECT EXTRACT(YEAR FROM condition_start_date) AS year, gender_concept_id, COUNT(DISTINCT person_id) AS people
FROM condition_occurrence JOIN person USING (person_id)
WHERE condition_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 4283893)
GROUP BY year, gender_concept_id
