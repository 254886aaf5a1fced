-- title: Age at a person's first record of each kind of visit
-- description: For concepts of the domain Visit; fewer groups have finer percentiles.
-- dataset: omop
-- epsilon: 0.8
-- unit: years
SELECT visit_concept_id, COUNT(*) AS people, AVG(age) AS mean_age, STDDEV(age) AS deviation,
       PERCENTILE_CONT(0.1) WITHIN GROUP (ORDER BY age) AS p10,
       PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY age) AS p25,
       PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY age) AS median,
       PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY age) AS p75,
       PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY age) AS p90
FROM (
  SELECT r.person_id, r.visit_concept_id, EXTRACT(YEAR FROM MIN(r.visit_start_date)) - p.year_of_birth AS age
  FROM visit_occurrence AS r JOIN person AS p ON p.person_id = r.person_id
  GROUP BY r.person_id, r.visit_concept_id, p.year_of_birth
) AS firsts
WHERE visit_concept_id IN (SELECT concept_id FROM concept WHERE domain_id = 'Visit')
GROUP BY visit_concept_id
