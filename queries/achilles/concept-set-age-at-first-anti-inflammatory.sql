-- title: Age at the first anti-inflammatory drug by gender
-- dataset: omop
-- epsilon: 0.4
-- unit: years
SELECT p.gender_concept_id, COUNT(*) AS people, AVG(EXTRACT(YEAR FROM f.first_day) - p.year_of_birth) AS mean_age,
       STDDEV(EXTRACT(YEAR FROM f.first_day) - p.year_of_birth) AS deviation,
       PERCENTILE_CONT(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9])
         WITHIN GROUP (ORDER BY EXTRACT(YEAR FROM f.first_day) - p.year_of_birth) AS percentile
FROM (
  SELECT person_id, MIN(drug_exposure_start_date) AS first_day
  FROM drug_exposure
  WHERE drug_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 21603933)
  GROUP BY person_id
) AS f
JOIN person AS p ON p.person_id = f.person_id
GROUP BY p.gender_concept_id
