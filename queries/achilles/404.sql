-- title: People by condition, year, gender and decade of age
-- description: For concepts of the domain Condition and the years 2000 to 2019, as everything would make more than 100,000 groups.
-- dataset: omop
-- epsilon: 0.8
-- unit: people
SELECT condition_concept_id, EXTRACT(YEAR FROM condition_start_date) AS year, gender_concept_id,
       FLOOR((EXTRACT(YEAR FROM condition_start_date) - year_of_birth) / 10) AS decade_of_age, COUNT(DISTINCT person_id) AS people
FROM condition_occurrence JOIN person USING (person_id)
WHERE condition_concept_id IN (SELECT concept_id FROM concept WHERE domain_id = 'Condition')
  AND condition_start_date BETWEEN DATE '2000-01-01' AND DATE '2019-12-31'
GROUP BY condition_concept_id, year, gender_concept_id, decade_of_age
