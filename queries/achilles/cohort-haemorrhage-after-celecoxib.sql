-- title: Days from the first celecoxib to the first gastrointestinal haemorrhage
-- description: Among people without a haemorrhage before their first celecoxib.
-- dataset: omop
-- epsilon: 0.4
-- unit: days
WITH celecoxib AS (
  SELECT person_id, MIN(drug_exposure_start_date) AS first_day
  FROM drug_exposure WHERE drug_concept_id = 1118084 GROUP BY person_id
), haemorrhage AS (
  SELECT person_id, MIN(condition_start_date) AS first_day
  FROM condition_occurrence WHERE condition_concept_id = 192671 GROUP BY person_id
)
SELECT COUNT(*) AS people, COUNT(h.first_day) AS with_haemorrhage, AVG(h.first_day - c.first_day) AS mean_days,
       STDDEV(h.first_day - c.first_day) AS deviation,
       PERCENTILE_CONT(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9]) WITHIN GROUP (ORDER BY h.first_day - c.first_day) AS percentile
FROM celecoxib AS c LEFT JOIN haemorrhage AS h ON h.person_id = c.person_id
WHERE h.first_day IS NULL OR h.first_day >= c.first_day
