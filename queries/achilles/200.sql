-- title: People with at least one visit, by its concept
-- dataset: omop
-- epsilon: 0.4
-- unit: people
SELECT visit_concept_id, COUNT(DISTINCT person_id) AS people FROM visit_occurrence GROUP BY visit_concept_id
