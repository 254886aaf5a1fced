-- title: People with a visit in each month, by concept
-- description: For concepts of the domain Visit, as all concepts × all months would be more than 100,000 groups.
-- dataset: omop
-- epsilon: 0.5
-- unit: people
SELECT visit_concept_id, EXTRACT(YEAR FROM visit_start_date) * 100 + EXTRACT(MONTH FROM visit_start_date) AS month,
       COUNT(DISTINCT person_id) AS people
FROM visit_occurrence
WHERE visit_concept_id IN (SELECT concept_id FROM concept WHERE domain_id = 'Visit')
GROUP BY 1, 2
