-- title: People by measurement, year, gender and decade of age
-- description: For concepts of the domain Measurement and the years 2000 to 2019, as everything would make more than 100,000 groups.
-- dataset: omop
-- epsilon: 0.8
-- unit: people
SELECT m.measurement_concept_id, m.year, p.gender_concept_id, FLOOR((m.year - p.year_of_birth) / 10) AS decade_of_age, COUNT(*) AS people
FROM (
  SELECT DISTINCT person_id, measurement_concept_id, EXTRACT(YEAR FROM measurement_date) AS year
  FROM measurement
  WHERE measurement_concept_id IN (SELECT concept_id FROM concept WHERE domain_id = 'Measurement')
    AND measurement_date BETWEEN DATE '2000-01-01' AND DATE '2019-12-31'
) AS m
JOIN person AS p ON p.person_id = m.person_id
GROUP BY m.measurement_concept_id, m.year, p.gender_concept_id, FLOOR((m.year - p.year_of_birth) / 10)
