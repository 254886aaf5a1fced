-- title: People with at least x exposures to a drug, x of 1 to 5 and 10
-- dataset: omop
-- epsilon: 0.8
-- unit: people
WITH counted AS (
  SELECT person_id, drug_concept_id, COUNT(*) AS records FROM drug_exposure GROUP BY person_id, drug_concept_id
)
SELECT drug_concept_id, COUNT(*) AS at_least_1,
       COUNT(*) FILTER (WHERE records >= 2) AS at_least_2, COUNT(*) FILTER (WHERE records >= 3) AS at_least_3,
       COUNT(*) FILTER (WHERE records >= 4) AS at_least_4, COUNT(*) FILTER (WHERE records >= 5) AS at_least_5,
       COUNT(*) FILTER (WHERE records >= 10) AS at_least_10
FROM counted GROUP BY drug_concept_id
