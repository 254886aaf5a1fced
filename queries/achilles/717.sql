-- title: Quantity by drug
-- description: For concepts of the domain Drug; fewer groups have finer percentiles.
-- dataset: omop
-- epsilon: 0.8
SELECT d.drug_concept_id, COUNT(*) AS exposures, AVG(d.quantity) AS mean_quantity, STDDEV_SAMP(d.quantity) AS deviation,
       PERCENTILE_CONT(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9]) WITHIN GROUP (ORDER BY d.quantity) AS percentile
FROM drug_exposure AS d JOIN concept AS c ON c.concept_id = d.drug_concept_id
WHERE c.domain_id = 'Drug' AND d.quantity IS NOT NULL
GROUP BY d.drug_concept_id
