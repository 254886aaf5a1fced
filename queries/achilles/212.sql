-- title: People with a visit by year, gender and decade of age
-- dataset: omop
-- epsilon: 0.5
-- unit: people
SELECT EXTRACT(YEAR FROM visit_start_date) AS year, gender_concept_id,
       FLOOR((EXTRACT(YEAR FROM visit_start_date) - year_of_birth) / 10) AS decade_of_age, COUNT(DISTINCT person_id) AS people
FROM visit_occurrence JOIN person USING (person_id)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
