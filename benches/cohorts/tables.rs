//! Three tables of the same people: diagnoses, drugs and visits, each made in chunks.

use std::fs::File;
use std::path::Path;

use polars::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::questions::table::{DAYS, DIAGNOSES, FIRST_DAY, ROWS_PER_UNIT, write};

pub const DATASET: &str = "clinic";
pub const DRUGS: [&str; 8] =
    ["aspirin", "ibuprofen", "insulin", "lisinopril", "metformin", "omeprazole", "salbutamol", "sertraline"];

/// The tables, in the order of their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    Diagnoses,
    Drugs,
    Visits,
}

impl Table {
    pub const ALL: [Self; 3] = [Self::Diagnoses, Self::Drugs, Self::Visits];

    fn file(self) -> &'static str {
        match self {
            Self::Diagnoses => "diagnoses.parquet",
            Self::Drugs => "drugs.parquet",
            Self::Visits => "visits.parquet",
        }
    }
}

/// The policy of tables of `rows` rows each, with a budget that no run exhausts.
pub fn policy(rows: usize) -> String {
    let list = |values: &[&str]| values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(", ");
    let table = |name: &str, columns: &str| {
        format!(
            "[[table]]\nname = \"{name}\"\nsource = \"{name}.parquet\"\nmax_rows_per_unit = 8\nmax_rows = {}\n{columns}",
            rows + rows / 5
        )
    };
    let date = |name: &str| {
        format!("[[table.column]]\nname = \"{name}\"\ntype = \"date\"\nmin = 2020-01-01\nmax = 2025-12-31\n")
    };
    let category = |name: &str, values: &[&str]| {
        format!("[[table.column]]\nname = \"{name}\"\ntype = \"category\"\nvalues = [{}]\n", list(values))
    };
    let emergency = "[[table.column]]\nname = \"emergency\"\ntype = \"boolean\"\n";
    format!(
        "[dataset]\nname = \"{DATASET}\"\nprivacy_unit = \"patient_id\"\noversubscribe = true\n\
         cap = {{ epsilon = \"100\", delta = \"1e-5\" }}\n{}{}{}",
        table("diagnoses", &format!("{}{}", category("diagnosis", &DIAGNOSES), date("found"))),
        table("drugs", &format!("{}{}", category("drug", &DRUGS), date("started"))),
        table("visits", &format!("{emergency}{}", date("visited"))),
    )
}

pub fn write_policy(dir: &Path, rows: usize) {
    std::fs::write(dir.join(format!("{DATASET}.toml")), policy(rows)).expect("a policy");
}

/// The person of a row: each has as many rows in every table, far apart from each other.
fn person(row: usize, people: usize) -> i64 {
    // A prime that divides no number of people that the bench takes.
    ((row as u64).wrapping_mul(2_654_435_761) % people as u64) as i64
}

/// The rows of a table from `from` up to `to`, as a source would hold them.
fn chunk(table: Table, from: usize, to: usize, people: usize) -> DataFrame {
    let mut rng = StdRng::seed_from_u64(from as u64 * 3 + table as u64);
    let ids: Vec<i64> = (from..to).map(|row| person(row, people)).collect();
    let days: Vec<i32> = ids.iter().map(|_| FIRST_DAY + rng.random_range(0..DAYS)).collect();
    let mut texts = |name: &'static str, values: &[&'static str]| {
        let texts: Vec<&str> = ids.iter().map(|_| values[rng.random_range(0..values.len())]).collect();
        Column::new(name.into(), texts)
    };
    let (own, day) = match table {
        Table::Diagnoses => (texts("diagnosis", &DIAGNOSES), "found"),
        Table::Drugs => (texts("drug", &DRUGS), "started"),
        Table::Visits => {
            let emergencies: Vec<bool> = ids.iter().map(|_| rng.random_range(0..7) == 0).collect();
            (Column::new("emergency".into(), emergencies), "visited")
        }
    };
    let days = Column::new(day.into(), days).cast(&DataType::Date).expect("days");
    DataFrame::new(ids.len(), vec![own, days, Column::new("patient_id".into(), ids)]).expect("a frame")
}

pub fn write_sources(dir: &Path, rows: usize) {
    for table in Table::ALL {
        write(&dir.join(table.file()), rows, |from, to| chunk(table, from, to, rows / ROWS_PER_UNIT));
    }
}

/// What plain polars is asked: whole tables in memory, with texts as 32-bit codes, which is what a `Categorical` holds and the faster form.
pub struct Unsealed {
    frames: [Option<DataFrame>; 3],
}

impl Unsealed {
    pub fn read(dir: &Path, tables: &[Table]) -> Self {
        let read = |table: Table| {
            let file = File::open(dir.join(table.file())).expect("a source");
            let mut frame = ParquetReader::new(file).finish().expect("a frame");
            for (name, values) in [("diagnosis", &DIAGNOSES[..]), ("drug", &DRUGS[..])] {
                let Ok(column) = frame.column(name) else { continue };
                let code = |text: &str| values.iter().position(|value| *value == text).expect("a value") as u32;
                let codes: UInt32Chunked = column.str().expect("texts").iter().map(|text| text.map(code)).collect();
                frame.with_column(codes.with_name(name.into()).into_column()).expect("a column of codes");
            }
            frame.rechunk_mut();
            frame
        };
        Self { frames: Table::ALL.map(|table| tables.contains(&table).then(|| read(table))) }
    }

    pub fn table(&self, table: Table) -> LazyFrame {
        self.frames[table as usize].clone().expect("a table that the question reads").lazy()
    }
}

/// The code of a value in a list.
pub fn code(values: &[&str], value: &str) -> Expr {
    lit(values.iter().position(|one| *one == value).expect("a value of the list") as u32)
}
