-- title: People with at least one drug exposure, by its concept
-- description: Shown by the name of the concept, for concepts of the domain Drug.
-- dataset: omop
-- epsilon: 0.4
-- unit: people
SELECT c.concept_name, COUNT(DISTINCT d.person_id) AS people
FROM drug_exposure AS d JOIN concept AS c ON c.concept_id = d.drug_concept_id
WHERE c.domain_id = 'Drug'
GROUP BY c.concept_name ORDER BY people DESC
