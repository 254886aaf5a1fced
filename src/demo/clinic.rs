//! The data of the synthetic clinic: generated from a seed, with the skews of a real clinic. None of it is about real people.

use std::fs::File;
use std::path::Path;

use polars::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use rand_distr::{Distribution, Gamma, LogNormal, Normal, Poisson, weighted::WeightedIndex};

use crate::query::terms::domain::date_days;

const SEED: u64 = 2020;
const REGIONS: [&str; 4] = ["north", "east", "south", "west"];
const SEXES: [&str; 3] = ["female", "male", "other"];
/// Each diagnosis with its weight at age 20, its weight at age 80, and its factor on the cost.
const DIAGNOSES: [(&str, f64, f64, f64); 9] = [
    ("asthma", 8.0, 4.0, 0.9),
    ("back pain", 10.0, 14.0, 0.8),
    ("copd", 0.2, 10.0, 1.6),
    ("depression", 10.0, 6.0, 1.0),
    ("diabetes", 1.0, 16.0, 1.2),
    ("hypertension", 2.0, 24.0, 0.7),
    ("infection", 26.0, 10.0, 0.8),
    ("injury", 18.0, 8.0, 1.9),
    ("check-up", 24.0, 12.0, 0.5),
];

/// Drugs and strengths as they are typed, the most common first.
const DRUGS: [&str; 24] = [
    "paracetamol",
    "ibuprofen",
    "metformin",
    "amoxicillin",
    "ramipril",
    "salbutamol",
    "omeprazole",
    "simvastatin",
    "sertraline",
    "amlodipine",
    "prednisolone",
    "bisoprolol",
    "levothyroxine",
    "furosemide",
    "citalopram",
    "insulin glargine",
    "tiotropium",
    "diclofenac",
    "azithromycin",
    "mirtazapine",
    "apixaban",
    "budesonide",
    "tramadol",
    "allopurinol",
];
const INSURERS: [&str; 3] = ["public", "private", "none"];
const STRENGTHS: [&str; 4] = ["", " low dose", " high dose", " slow release"];

/// The clinic's file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the clinic's file cannot be written")]
pub struct ClinicError;

#[derive(Default)]
struct Visits {
    patient: Vec<i64>,
    region: Vec<&'static str>,
    sex: Vec<&'static str>,
    smoker: Vec<Option<bool>>,
    age: Vec<i32>,
    visited: Vec<i32>,
    diagnosis: Vec<&'static str>,
    emergency: Vec<bool>,
    cost: Vec<f64>,
    hba1c: Vec<Option<f64>>,
    drug: Vec<Option<String>>,
}

struct Patient {
    id: i64,
    region: &'static str,
    sex: &'static str,
    smoker: Option<bool>,
    age_2020: f64,
}

/// Writes the clinic's visits as Parquet and returns their number.
///
/// # Errors
/// [`ClinicError`] if the file cannot be written.
pub(super) fn write(path: &Path, patients: u32) -> Result<usize, ClinicError> {
    let visits = visits(patients).ok_or(ClinicError)?;
    let rows = visits.patient.len();
    let dates = Column::new("visited".into(), visits.visited).cast(&DataType::Date).map_err(|_| ClinicError)?;
    let columns = vec![
        Column::new("patient_id".into(), visits.patient),
        Column::new("region".into(), visits.region),
        Column::new("sex".into(), visits.sex),
        Column::new("smoker".into(), visits.smoker),
        Column::new("age".into(), visits.age),
        dates,
        Column::new("diagnosis".into(), visits.diagnosis),
        Column::new("emergency".into(), visits.emergency),
        Column::new("cost".into(), visits.cost),
        Column::new("hba1c".into(), visits.hba1c),
        Column::new("drug".into(), visits.drug),
    ];
    let mut frame = DataFrame::new(rows, columns).map_err(|_| ClinicError)?;
    let file = File::create(path).map_err(|_| ClinicError)?;
    ParquetWriter::new(file).finish(&mut frame).map_err(|_| ClinicError)?;
    Ok(rows)
}

/// Generates the visits. Their number per patient is Poisson with a gamma rate, so that most patients come rarely and a few very
/// often; about four on average.
fn visits(patients: u32) -> Option<Visits> {
    let mut rng = StdRng::seed_from_u64(SEED);
    let region = WeightedIndex::new([30.0, 20.0, 35.0, 15.0]).ok()?;
    let sex = WeightedIndex::new([51.0, 48.0, 1.0]).ok()?;
    let rate = Gamma::new(0.9, 3.4).ok()?;
    let mut visits = Visits::default();
    for id in 1..=i64::from(patients) {
        let patient = Patient {
            id: 100_000 + id,
            region: REGIONS[region.sample(&mut rng)],
            sex: SEXES[sex.sample(&mut rng)],
            smoker: (rng.random::<f64>() < 0.93).then(|| rng.random::<f64>() < 0.22),
            age_2020: 95.0 * rng.random::<f64>().powf(1.2),
        };
        let busy: f64 = rate.sample(&mut rng) * (0.6 + patient.age_2020 / 80.0);
        let count = 1.0 + Poisson::new(busy.max(1e-3)).ok()?.sample(&mut rng);
        for _ in 0..(count as u32).min(120) {
            visits.push(&patient, &mut rng)?;
        }
    }
    visits.drug = drugs(visits.patient.len())?;
    Some(visits)
}

/// Writes the clinic's register as Parquet, with one row for each patient and for those who never came, who add a tenth. It has a
/// random generator of its own.
///
/// # Errors
/// [`ClinicError`] if the file cannot be written.
pub(super) fn write_patients(path: &Path, patients: u32) -> Result<(), ClinicError> {
    let mut rng = StdRng::seed_from_u64(SEED + 2);
    let insurer = WeightedIndex::new([78.0, 18.0, 4.0]).map_err(|_| ClinicError)?;
    let (first, last) = date_days("2000-01-01").zip(date_days("2020-01-01")).ok_or(ClinicError)?;
    let ids: Vec<i64> = (1..=i64::from(patients) + i64::from(patients / 10)).map(|id| 100_000 + id).collect();
    let insurers: Vec<&str> = ids.iter().map(|_| INSURERS[insurer.sample(&mut rng)]).collect();
    let days: Vec<i32> = ids.iter().map(|_| rng.random_range(first..=last)).collect();
    let days = Column::new("registered".into(), days).cast(&DataType::Date).map_err(|_| ClinicError)?;
    let columns = vec![Column::new("patient_id".into(), ids), Column::new("insurer".into(), insurers), days];
    let mut frame = DataFrame::new(columns[0].len(), columns).map_err(|_| ClinicError)?;
    let file = File::create(path).map_err(|_| ClinicError)?;
    ParquetWriter::new(file).finish(&mut frame).map(|_| ()).map_err(|_| ClinicError)
}

/// The prescribed drugs, as they were typed: a few are common, many are rare, and now and then one is unique. They have a random
/// generator of their own.
fn drugs(rows: usize) -> Option<Vec<Option<String>>> {
    const COMPOUNDED: usize = 3_000;
    let mut rng = StdRng::seed_from_u64(SEED + 1);
    let names: Vec<String> =
        DRUGS.iter().flat_map(|drug| STRENGTHS.iter().map(move |strength| format!("{drug}{strength}"))).collect();
    let drug = WeightedIndex::new((1..=names.len()).map(|place| 1.0 / place as f64)).ok()?;
    let mut one = |row: usize| match rng.random::<f64>() {
        none if none < 0.3 => None,
        rare if rare < 0.301 => Some(format!("compounded no. {}", row % COMPOUNDED)),
        _ => Some(names[drug.sample(&mut rng)].clone()),
    };
    Some((0..rows).map(&mut one).collect())
}

impl Visits {
    fn push(&mut self, patient: &Patient, rng: &mut impl Rng) -> Option<()> {
        let day = rng.random_range(date_days("2020-01-01")?..=date_days("2025-12-31")?);
        let age = patient.age_2020 + f64::from(day - date_days("2020-01-01")?) / 365.25;
        let old = ((age - 20.0) / 60.0).clamp(0.0, 1.0);
        let weights = DIAGNOSES.iter().map(|(_, young, aged, _)| young + old * (aged - young));
        let (diagnosis, _, _, factor) = DIAGNOSES[WeightedIndex::new(weights).ok()?.sample(rng)];
        let emergency = rng.random::<f64>() < if diagnosis == "injury" { 0.45 } else { 0.06 };
        let base: f64 = LogNormal::new(4.2 + 0.3 * old, 0.8).ok()?.sample(rng);
        let cost = base * factor * if emergency { 2.2 } else { 1.0 };
        let measured = rng.random::<f64>() < if diagnosis == "diabetes" { 0.8 } else { 0.12 };
        let level: f64 = Normal::new(if diagnosis == "diabetes" { 7.9 } else { 5.6 }, 0.9).ok()?.sample(rng);
        self.patient.push(patient.id);
        self.region.push(patient.region);
        self.sex.push(patient.sex);
        self.smoker.push(patient.smoker);
        self.age.push(age as i32);
        self.visited.push(day);
        self.diagnosis.push(diagnosis);
        self.emergency.push(emergency);
        self.cost.push((cost * 100.0).round() / 100.0);
        self.hba1c.push(measured.then_some((level * 10.0).round() / 10.0));
        Some(())
    }
}
