-- title: People with at least one procedure, by its concept
-- dataset: omop
-- epsilon: 0.4
-- unit: people
SELECT procedure_concept_id, COUNT(DISTINCT person_id) AS people FROM omop.procedure_occurrence GROUP BY procedure_concept_id
