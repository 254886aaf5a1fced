-- title: People by disorder of the respiratory system
-- dataset: omop
-- epsilon: 0.4
-- unit: people
SELECT c.concept_name, COUNT(DISTINCT o.person_id) AS people, COUNT(*) AS records
FROM condition_occurrence AS o
JOIN concept_ancestor AS a ON a.descendant_concept_id = o.condition_concept_id
JOIN concept AS c ON c.concept_id = o.condition_concept_id
WHERE a.ancestor_concept_id = 320136
GROUP BY c.concept_name ORDER BY people DESC
