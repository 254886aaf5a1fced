-- title: Days of supply by drug
-- description: For concepts of the domain Drug. A supply of more than a year counts as a year, so that the percentiles are finer.
-- dataset: omop
-- epsilon: 0.8
-- unit: days
SELECT drug_concept_id, COUNT(days_supply) AS exposures, AVG(LEAST(days_supply, 365)) AS mean_days,
       STDDEV(LEAST(days_supply, 365)) AS deviation,
       PERCENTILE_CONT(0.1) WITHIN GROUP (ORDER BY LEAST(days_supply, 365)) AS p10,
       PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY LEAST(days_supply, 365)) AS p25,
       PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY LEAST(days_supply, 365)) AS median,
       PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY LEAST(days_supply, 365)) AS p75,
       PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY LEAST(days_supply, 365)) AS p90
FROM drug_exposure
WHERE drug_concept_id IN (SELECT concept_id FROM concept WHERE domain_id = 'Drug')
GROUP BY drug_concept_id
