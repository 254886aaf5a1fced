-- title: People by drug, year, gender and decade of age
-- description: For concepts of the domain Drug and the years 2010 to 2019, as everything would make more than 100,000 groups.
-- dataset: omop
-- epsilon: 0.8
-- unit: people
SELECT d.drug_concept_id, DATE_PART('year', d.drug_exposure_start_date) AS year, p.gender_concept_id,
       FLOOR((DATE_PART('year', d.drug_exposure_start_date) - p.year_of_birth) / 10) AS decade_of_age,
       COUNT(DISTINCT d.person_id) AS people
FROM drug_exposure AS d, person AS p, concept AS c
WHERE d.person_id = p.person_id AND d.drug_concept_id = c.concept_id AND c.domain_id = 'Drug'
  AND EXTRACT(YEAR FROM d.drug_exposure_start_date) BETWEEN 2010 AND 2019
GROUP BY 1, 2, 3, 4
