-- title: Age at a person's first record of each ingredient
-- description: For concepts of the domain Drug; fewer groups have finer percentiles.
-- dataset: omop
-- epsilon: 0.8
-- unit: years
WITH first_records AS (
  SELECT person_id, drug_concept_id, MIN(drug_era_start_date) AS first_day
  FROM drug_era GROUP BY person_id, drug_concept_id
), ages AS (
  SELECT drug_concept_id, EXTRACT(YEAR FROM first_day) - year_of_birth AS age
  FROM first_records JOIN person USING (person_id)
)
SELECT drug_concept_id, COUNT(*) AS people, AVG(age) AS mean_age, STDDEV(age) AS deviation,
       PERCENTILE_CONT(0.1) WITHIN GROUP (ORDER BY age) AS p10,
       PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY age) AS p25,
       PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY age) AS median,
       PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY age) AS p75,
       PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY age) AS p90
FROM ages JOIN concept ON concept_id = drug_concept_id
WHERE domain_id = 'Drug'
GROUP BY drug_concept_id
