-- title: People by concept of visit, year, gender and decade of age
-- description: For concepts of the domain Visit, as all concepts would make more than 100,000 groups.
-- dataset: omop
-- epsilon: 0.5
-- unit: people
SELECT v.visit_concept_id, EXTRACT(YEAR FROM v.visit_start_date) AS year, p.gender_concept_id,
       FLOOR((EXTRACT(YEAR FROM v.visit_start_date) - p.year_of_birth) / 10) AS decade_of_age, COUNT(DISTINCT p.person_id) AS people
FROM person AS p
JOIN visit_occurrence AS v ON v.person_id = p.person_id
JOIN concept AS c ON c.concept_id = v.visit_concept_id
WHERE c.domain_id = 'Visit'
GROUP BY v.visit_concept_id, EXTRACT(YEAR FROM v.visit_start_date), p.gender_concept_id,
         FLOOR((EXTRACT(YEAR FROM v.visit_start_date) - p.year_of_birth) / 10)
