-- title: People with a procedure in each month, by concept
-- description: For concepts of the domain Procedure, as all concepts × all months would be more than 100,000 groups.
-- dataset: omop
-- epsilon: 0.5
-- unit: people
SELECT procedure_concept_id, EXTRACT(YEAR FROM procedure_date) AS year, EXTRACT(MONTH FROM procedure_date) AS month,
       COUNT(DISTINCT person_id) AS people
FROM procedure_occurrence JOIN concept ON concept_id = procedure_concept_id
WHERE domain_id = 'Procedure'
GROUP BY procedure_concept_id, year, month
