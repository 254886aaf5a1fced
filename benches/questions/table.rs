//! The table of the questions: visits of a clinic, made in chunks, so that memory stays bounded at any number of rows.

use std::fs::File;
use std::path::Path;

use polars::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Rows that are made at once.
const CHUNK: usize = 1_000_000;
/// Rows of each patient, in no order.
pub const ROWS_PER_UNIT: usize = 5;
/// Different drugs, which the policy does not list.
const DRUGS: usize = 1_000;
/// 2020-01-01 as days since 1970, and the days from it to the end of 2025.
pub const FIRST_DAY: i32 = 18_262;
pub const DAYS: i32 = 2_192;

pub const REGIONS: [&str; 4] = ["north", "east", "south", "west"];
pub const SEXES: [&str; 2] = ["female", "male"];
pub const DIAGNOSES: [&str; 9] =
    ["asthma", "back pain", "check-up", "copd", "depression", "diabetes", "hypertension", "infection", "injury"];
pub const INSURERS: [&str; 3] = ["none", "private", "public"];

/// The columns of text, with the values whose places are their codes; a drug's code is its number.
pub fn values(column: &str) -> Option<Vec<String>> {
    let listed: &[&str] = match column {
        "region" => &REGIONS,
        "sex" => &SEXES,
        "diagnosis" => &DIAGNOSES,
        "insurer" => &INSURERS,
        "drug" => return Some((0..DRUGS).map(|drug| format!("drug {drug:04} 50 mg")).collect()),
        _ => return None,
    };
    Some(listed.iter().map(|value| (*value).to_owned()).collect())
}

/// Writes the policy of `rows` rows, with budgets that no run exhausts.
pub fn write_policy(dir: &Path, rows: usize) {
    let list = |values: &[&str]| values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(", ");
    let text = format!(
        "[dataset]\nname = \"visits\"\nsource = \"visits.parquet\"\nprivacy_unit = \"patient_id\"\n\
         max_rows_per_unit = 8\nmax_rows = {}\noversubscribe = true\ncap = {{ epsilon = \"100\", delta = \"1e-5\" }}\n\
         threshold_delta = \"5e-6\"\nthreshold_delta_per_query = \"1e-9\"\n\
         [[column]]\nname = \"region\"\ntype = \"category\"\nvalues = [{}]\nper_unit = true\n\
         [[column]]\nname = \"sex\"\ntype = \"category\"\nvalues = [{}]\n\
         [[column]]\nname = \"diagnosis\"\ntype = \"category\"\nvalues = [{}]\n\
         [[column]]\nname = \"drug\"\ntype = \"text\"\nmax_values = 2_000\nmax_groups_per_unit = 3\n\
         [[column]]\nname = \"emergency\"\ntype = \"boolean\"\n\
         [[column]]\nname = \"age\"\ntype = \"integer\"\nmin = \"0\"\nmax = \"110\"\n\
         [[column]]\nname = \"cost\"\ntype = \"decimal\"\nmin = \"0\"\nmax = \"5000\"\nstep = \"0.01\"\n\
         [[column]]\nname = \"hba1c\"\ntype = \"decimal\"\nmin = \"3\"\nmax = \"15\"\nstep = \"0.1\"\n\
         [[column]]\nname = \"visited\"\ntype = \"date\"\nmin = 2020-01-01\nmax = 2025-12-31\n\
         [[join]]\nname = \"patients\"\nsource = \"patients.parquet\"\n\
         [[join.column]]\nname = \"insurer\"\ntype = \"category\"\nvalues = [{}]\n",
        rows + rows / 5,
        list(&REGIONS),
        list(&SEXES),
        list(&DIAGNOSES),
        list(&INSURERS)
    );
    std::fs::write(dir.join("visits.toml"), text).expect("a policy");
}

/// A number of a patient that tells nothing of its neighbours'.
fn scattered(patient: i64) -> usize {
    ((patient as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize
}

/// The patient of a row: each has [`ROWS_PER_UNIT`] rows, far apart from each other, as in a table that grows by day.
fn patient(row: usize, patients: usize) -> i64 {
    // A prime that divides no number of patients that the benches take.
    ((row as u64).wrapping_mul(2_654_435_761) % patients as u64) as i64
}

/// Texts of a column, by their codes.
fn texts(name: &'static str, codes: impl Iterator<Item = usize>) -> Column {
    let values = values(name).expect("a column of text");
    let texts: Vec<&str> = codes.map(|code| values[code].as_str()).collect();
    Column::new(name.into(), texts)
}

/// The rows from `from` up to `to`, as a source would hold them: numbers, text, floats and days.
fn chunk(from: usize, to: usize, patients: usize) -> DataFrame {
    let mut rng = StdRng::seed_from_u64(from as u64);
    let ids: Vec<i64> = (from..to).map(|row| patient(row, patients)).collect();
    let mut draw = |below: usize| -> Vec<usize> { ids.iter().map(|_| rng.random_range(0..below)).collect() };
    let (diagnoses, wide, narrow, ages) = (draw(DIAGNOSES.len()), draw(DRUGS), draw(DRUGS), draw(101));
    let (costs, hba1c, days) = (draw(500_001), draw(101), draw(DAYS as usize));
    // Few drugs are frequent: the lesser of two numbers.
    let drugs = wide.iter().zip(&narrow).map(|(wide, narrow)| *wide.min(narrow));
    let days: Vec<i32> = days.iter().map(|day| FIRST_DAY + *day as i32).collect();
    let days = Column::new("visited".into(), days).cast(&DataType::Date).expect("days");
    let columns = vec![
        texts("region", ids.iter().map(|id| scattered(*id) % REGIONS.len())),
        texts("sex", ids.iter().map(|id| scattered(*id) / 8 % SEXES.len())),
        texts("diagnosis", diagnoses.into_iter()),
        texts("drug", drugs),
        Column::new("emergency".into(), (from..to).map(|row| row % 7 == 0).collect::<Vec<_>>()),
        Column::new("age".into(), ages.iter().map(|age| *age as i64).collect::<Vec<_>>()),
        Column::new("cost".into(), costs.iter().map(|cost| *cost as f64 / 100.0).collect::<Vec<_>>()),
        Column::new("hba1c".into(), hba1c.iter().map(|part| (*part + 40) as f64 / 10.0).collect::<Vec<_>>()),
        days,
        Column::new("patient_id".into(), ids),
    ];
    DataFrame::new(to - from, columns).expect("a frame")
}

/// The patients from `from` up to `to`, one row each.
fn people(from: usize, to: usize) -> DataFrame {
    let ids: Vec<i64> = (from..to).map(|id| id as i64).collect();
    let insurers = texts("insurer", ids.iter().map(|id| scattered(*id) / 64 % INSURERS.len()));
    DataFrame::new(ids.len(), vec![insurers, Column::new("patient_id".into(), ids)]).expect("a frame")
}

/// Writes a Parquet file chunk by chunk.
pub fn write(path: &Path, rows: usize, make: impl Fn(usize, usize) -> DataFrame) {
    let file = File::create(path).expect("a file");
    let schema = Arc::clone(make(0, 1).schema());
    let mut writer = ParquetWriter::new(file).batched(&schema).expect("Parquet");
    for from in (0..rows).step_by(CHUNK) {
        writer.write_batch(&make(from, rows.min(from + CHUNK))).expect("Parquet");
    }
    writer.finish().expect("Parquet");
}

/// Writes both sources, unless they are there from an earlier run.
pub fn write_sources(dir: &Path, rows: usize) {
    let patients = rows / ROWS_PER_UNIT;
    let (visits, people_path) = (dir.join("visits.parquet"), dir.join("patients.parquet"));
    let is_whole = dir.join("sources.written");
    if !is_whole.exists() {
        write(&visits, rows, |from, to| chunk(from, to, patients));
        write(&people_path, patients, people);
        std::fs::write(is_whole, "").expect("a mark");
    }
}

/// Reads the sources once, so that whoever seals first finds them in memory, as the next one does.
pub fn warm(dir: &Path) {
    for name in ["visits.parquet", "patients.parquet"] {
        let mut file = File::open(dir.join(name)).expect("a source");
        std::io::copy(&mut file, &mut std::io::sink()).expect("read");
    }
}

/// How plain polars holds categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As strings.
    Text,
    /// As codes of 32 bits, which is what a `Categorical` holds.
    Codes,
}

impl Form {
    /// A value of a column of text, in this form.
    pub fn literal(self, column: &str, value: &str) -> Expr {
        match self {
            Self::Text => lit(value.to_owned()),
            Self::Codes => {
                let place = values(column).and_then(|values| values.iter().position(|one| one == value));
                lit(place.expect("a value of the column") as u32)
            }
        }
    }
}

/// What plain polars is asked: the columns that a question needs, unsealed, in memory.
pub struct Plain {
    pub form: Form,
    pub visits: DataFrame,
    pub patients: Option<DataFrame>,
}

impl Plain {
    /// Reads columns of the sources, and no others, so that a hundred million rows fit.
    pub fn read(dir: &Path, form: Form, columns: &[&str], is_joined: bool) -> Self {
        let read = |name: &str, columns: &[&str]| {
            let columns = columns.iter().map(|column| (*column).to_owned()).collect();
            let file = File::open(dir.join(name)).expect("a source");
            let mut frame = ParquetReader::new(file).with_columns(Some(columns)).finish().expect("a frame");
            if form == Form::Codes {
                code(&mut frame);
            }
            frame.rechunk_mut();
            frame
        };
        let patients = is_joined.then(|| read("patients.parquet", &["patient_id", "insurer"]));
        Self { form, visits: read("visits.parquet", columns), patients }
    }
}

/// Replaces texts by their codes.
fn code(frame: &mut DataFrame) {
    let names: Vec<String> = frame.get_column_names().iter().map(|name| name.to_string()).collect();
    for name in names {
        let Some(values) = values(&name) else { continue };
        let places: std::collections::HashMap<&str, u32> =
            values.iter().zip(0..).map(|(value, place)| (value.as_str(), place)).collect();
        let texts = frame.column(&name).expect("a column").str().expect("texts").clone();
        let codes: UInt32Chunked = texts.iter().map(|text| text.map(|text| places[text])).collect();
        frame.with_column(codes.with_name(name.as_str().into()).into_column()).expect("a column of codes");
    }
}
