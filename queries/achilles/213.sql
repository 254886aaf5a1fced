-- title: Length of stay by kind of visit
-- description: For concepts of the domain Visit. A stay of more than a year counts as a year, so that the percentiles are finer.
-- dataset: omop
-- epsilon: 0.4
-- unit: days
SELECT visit_concept_id, COUNT(*) AS visits, AVG(days) AS mean_days, STDDEV(days) AS deviation,
       PERCENTILE_CONT(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9]) WITHIN GROUP (ORDER BY days) AS percentile
FROM (
  SELECT visit_concept_id, GREATEST(0, LEAST(365, visit_end_date - visit_start_date)) AS days
  FROM visit_occurrence
  WHERE visit_concept_id IN (SELECT concept_id FROM concept WHERE domain_id = 'Visit')
) AS stays
GROUP BY visit_concept_id
