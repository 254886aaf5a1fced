-- title: New users of anti-inflammatory drugs by year
-- description: No exposure in the 365 days before, and observed throughout them.
-- dataset: omop
-- epsilon: 0.4
-- chart: line
-- unit: people
SELECT EXTRACT(YEAR FROM e.drug_exposure_start_date) AS year, COUNT(DISTINCT e.person_id) AS new_users
FROM (
  SELECT person_id, drug_exposure_start_date,
         LAG(drug_exposure_start_date) OVER (PARTITION BY person_id ORDER BY drug_exposure_start_date) AS previous
  FROM drug_exposure
  WHERE drug_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 21603933)
) AS e
JOIN observation_period AS o
  ON o.person_id = e.person_id
  AND e.drug_exposure_start_date BETWEEN o.observation_period_start_date + 365 AND o.observation_period_end_date
WHERE e.previous IS NULL OR e.drug_exposure_start_date - e.previous > 365
GROUP BY EXTRACT(YEAR FROM e.drug_exposure_start_date) ORDER BY year
