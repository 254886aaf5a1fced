-- title: Age at a person's first record of each drug
-- description: For concepts of the domain Drug; fewer groups have finer percentiles.
-- dataset: omop
-- epsilon: 0.8
-- unit: years
SELECT drug_concept_id, COUNT(*) AS people, AVG(age) AS mean_age, STDDEV(age) AS deviation,
       PERCENTILE_CONT(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9]) WITHIN GROUP (ORDER BY age) AS percentile
FROM (
  SELECT r.person_id, r.drug_concept_id, EXTRACT(YEAR FROM MIN(r.drug_exposure_start_date)) - p.year_of_birth AS age
  FROM drug_exposure AS r JOIN person AS p ON p.person_id = r.person_id
  GROUP BY r.person_id, r.drug_concept_id, p.year_of_birth
) AS firsts
WHERE drug_concept_id IN (SELECT concept_id FROM concept WHERE domain_id = 'Drug')
GROUP BY drug_concept_id
