-- title: People with at least x procedures of a concept, for every x
-- description: A running sum from the largest number of records down, for concepts of the domain Procedure.
-- dataset: omop
-- epsilon: 0.5
-- unit: people
SELECT procedure_concept_id, records, SUM(COUNT(*)) OVER (PARTITION BY procedure_concept_id ORDER BY records DESC) AS people
FROM (
  SELECT person_id, procedure_concept_id, COUNT(*) AS records
  FROM procedure_occurrence
  WHERE procedure_concept_id IN (SELECT concept_id FROM concept WHERE domain_id = 'Procedure')
  GROUP BY person_id, procedure_concept_id
) AS counted
GROUP BY procedure_concept_id, records
