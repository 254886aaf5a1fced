-- title: People with a measurement in each month, by concept
-- description: For concepts of the domain Measurement, as all concepts × all months would be more than 100,000 groups.
-- dataset: omop
-- epsilon: 0.5
-- unit: people
SELECT m.measurement_concept_id, TO_CHAR(m.measurement_date, 'YYYY-MM') AS month, COUNT(DISTINCT m.person_id) AS people
FROM measurement AS m
JOIN (SELECT concept_id FROM concept WHERE domain_id = 'Measurement') AS c ON m.measurement_concept_id = c.concept_id
GROUP BY m.measurement_concept_id, TO_CHAR(m.measurement_date, 'YYYY-MM')
