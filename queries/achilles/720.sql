-- title: Drug exposures by month
-- dataset: omop
-- epsilon: 0.5
-- chart: line
-- unit: records
SELECT DATE_TRUNC('month', drug_exposure_start_date)::date AS month, COUNT(*) AS records
FROM omop.drug_exposure GROUP BY DATE_TRUNC('month', drug_exposure_start_date)::date ORDER BY 1
