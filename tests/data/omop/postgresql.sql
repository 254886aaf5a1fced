-- Tables of the dataset omop for PostgreSQL, to compare answers with its own: names in lower case, categories of concept ids as integers.
-- Each table takes a CSV file with a header, such as the sealed rows: COPY omop.person FROM STDIN (FORMAT csv, HEADER true)
CREATE SCHEMA omop;
CREATE TABLE omop.person (person_id integer NOT NULL, gender_concept_id integer, year_of_birth integer, month_of_birth integer, day_of_birth
  integer, birth_datetime date, race_concept_id integer, ethnicity_concept_id integer);
CREATE TABLE omop.observation_period (person_id integer NOT NULL, observation_period_start_date date, observation_period_end_date date,
  period_type_concept_id integer);
CREATE TABLE omop.visit_occurrence (person_id integer NOT NULL, visit_concept_id integer, visit_start_date date, visit_end_date date,
  visit_type_concept_id integer);
CREATE TABLE omop.condition_occurrence (person_id integer NOT NULL, condition_concept_id integer, condition_start_date date,
  condition_end_date date, condition_type_concept_id integer, condition_status_concept_id integer);
CREATE TABLE omop.drug_exposure (person_id integer NOT NULL, drug_concept_id integer, drug_exposure_start_date date, drug_exposure_end_date
  date, drug_type_concept_id integer, refills integer, quantity integer, days_supply integer, route_concept_id integer);
CREATE TABLE omop.procedure_occurrence (person_id integer NOT NULL, procedure_concept_id integer, procedure_date date,
  procedure_type_concept_id integer, modifier_concept_id integer);
CREATE TABLE omop.measurement (person_id integer NOT NULL, measurement_concept_id integer, measurement_date date,
  measurement_type_concept_id integer, operator_concept_id integer, value_as_number numeric, value_as_concept_id integer, unit_concept_id
  integer);
CREATE TABLE omop.observation (person_id integer NOT NULL, observation_concept_id integer, observation_date date,
  observation_type_concept_id integer, value_as_concept_id integer);
CREATE TABLE omop.condition_era (person_id integer NOT NULL, condition_concept_id integer, condition_era_start_date date,
  condition_era_end_date date, condition_occurrence_count integer);
CREATE TABLE omop.drug_era (person_id integer NOT NULL, drug_concept_id integer, drug_era_start_date date, drug_era_end_date date,
  drug_exposure_count integer);
CREATE TABLE omop.concept (concept_id integer, concept_name text, domain_id text, vocabulary_id text, concept_class_id text,
  standard_concept text, concept_code text);
CREATE TABLE omop.concept_ancestor (ancestor_concept_id integer, descendant_concept_id integer, min_levels_of_separation integer,
  max_levels_of_separation integer);
CREATE TABLE omop.calendar_month (first_day date, last_day date, year integer, month integer);
CREATE TABLE omop.calendar_year (first_day date, last_day date, year integer);
