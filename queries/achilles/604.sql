-- title: People by procedure, year, gender and decade of age
-- description: For concepts of the domain Procedure and the years 2000 to 2019, as everything would make more than 100,000 groups.
-- dataset: omop
-- epsilon: 0.8
-- unit: people
WITH records AS (
  SELECT o.person_id, o.procedure_concept_id, p.gender_concept_id, EXTRACT(YEAR FROM o.procedure_date) AS year,
         FLOOR((EXTRACT(YEAR FROM o.procedure_date) - p.year_of_birth) / 10) AS decade_of_age
  FROM procedure_occurrence AS o
  JOIN person AS p ON p.person_id = o.person_id
  JOIN concept AS c ON c.concept_id = o.procedure_concept_id AND c.domain_id = 'Procedure'
  WHERE o.procedure_date >= DATE '2000-01-01' AND o.procedure_date < DATE '2020-01-01'
)
SELECT procedure_concept_id, year, gender_concept_id, decade_of_age, COUNT(DISTINCT person_id) AS people
FROM records GROUP BY procedure_concept_id, year, gender_concept_id, decade_of_age
