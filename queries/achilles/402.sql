-- title: People with a condition in each month, by concept
-- description: For concepts of the domain Condition and the years 2000 to 2019, as all concepts × all months would be more than 100,000 groups.
-- dataset: omop
-- epsilon: 0.5
-- unit: people
SELECT o.condition_concept_id, DATE_TRUNC('month', o.condition_start_date) AS month, COUNT(DISTINCT o.person_id) AS people
FROM condition_occurrence AS o
JOIN concept AS c ON c.concept_id = o.condition_concept_id
WHERE c.domain_id = 'Condition' AND o.condition_start_date BETWEEN DATE '2000-01-01' AND DATE '2019-12-31'
GROUP BY o.condition_concept_id, DATE_TRUNC('month', o.condition_start_date)
