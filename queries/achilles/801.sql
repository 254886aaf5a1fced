-- title: Observations by concept
-- dataset: omop
-- epsilon: 0.4
-- unit: records
SELECT observation_concept_id, COUNT(*) AS records FROM observation GROUP BY observation_concept_id
