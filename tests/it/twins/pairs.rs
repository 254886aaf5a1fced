//! Neighbouring tables: the two tables of each pair differ by one unit and all its rows.

use std::path::Path;

use polars::prelude::{Column, DataFrame, DataType, ParquetWriter};
use tacit::query::terms::domain::date_days;

use crate::support::repository_file;

/// The demo's policy with every column nullable, the largest possible cap, and nothing set aside for thresholds: if neighbours have
/// different texts, their noisy vectors have different lengths, and replayed noise has only one.
pub fn policy() -> String {
    let aside = |line: &&str| !line.starts_with("threshold_delta");
    policy_of_texts().lines().filter(aside).map(|line| format!("{line}\n")).collect()
}

/// The policy like [`policy`], with all of what the demo sets aside for thresholds available to each answer.
pub fn policy_of_texts() -> String {
    let text = repository_file("src/demo/visits.toml").replace("epsilon = \"4\"", "epsilon = \"100\"");
    let open = |(at, block): (usize, &str)| {
        let open = if at > 0 && !block.contains("nullable") { "\nnullable = true" } else { "" };
        format!("{open}{block}")
    };
    let text = text.split("[[column]]").enumerate().map(open).collect::<Vec<_>>().join("[[column]]");
    let joined =
        |(at, block): (usize, &str)| if at == 0 { block.to_owned() } else { format!("\nnullable = true{block}") };
    text.split("[[join.column]]").enumerate().map(joined).collect::<Vec<_>>().join("[[join.column]]")
}

/// One row of the source.
#[derive(Clone)]
pub struct Row {
    who: String,
    region: Option<String>,
    smoker: Option<bool>,
    age: Option<i64>,
    visited: Option<i32>,
    diagnosis: Option<String>,
    cost: Option<f64>,
    hba1c: Option<f64>,
    drug: Option<String>,
}

/// A pair of neighbouring tables.
pub struct Pair {
    pub name: &'static str,
    base: Vec<Row>,
    unit: Vec<Row>,
}

fn row(who: &str) -> Row {
    Row {
        who: who.to_owned(),
        region: Some("north".to_owned()),
        smoker: Some(true),
        age: Some(50),
        visited: date_days("2023-03-01"),
        diagnosis: Some("asthma".to_owned()),
        cost: Some(100.25),
        hba1c: Some(6.5),
        drug: Some("aspirin".to_owned()),
    }
}

/// Some people with a few visits each; nobody has an injury.
fn others() -> Vec<Row> {
    let mut rows = Vec::new();
    for person in 0..9_usize {
        for visit in 0..=person % 4 {
            let mut row = row(&format!("p{person}"));
            row.region = Some(["north", "east", "south", "west"][person % 4].to_owned());
            row.diagnosis = Some(["asthma", "copd", "diabetes"][visit % 3].to_owned());
            row.smoker = [Some(true), Some(false), None][person % 3];
            row.age = Some(20 + 7 * person as i64);
            row.cost = Some(10.5 * person as f64);
            row.drug = [Some("aspirin"), Some("ibuprofen"), None][visit % 3].map(str::to_owned);
            rows.push(row);
        }
    }
    rows
}

/// A pair over the other people, in which the unit has one ordinary row except for what `change` does.
fn with(name: &'static str, change: impl Fn(&mut Row)) -> Pair {
    let mut one = row("new");
    change(&mut one);
    Pair { name, base: others(), unit: vec![one] }
}

/// All pairs.
pub fn pairs() -> Vec<Pair> {
    let many = |count: usize| -> Vec<Row> {
        let spread = |at: usize| {
            let mut row = row("new");
            row.region = Some(["north", "east", "south", "west"][at % 4].to_owned());
            row.diagnosis = Some(["asthma", "copd", "injury", "infection", "diabetes"][at % 5].to_owned());
            row.smoker = Some(at.is_multiple_of(2));
            row.age = Some(at as i64);
            row
        };
        (0..count).map(spread).collect()
    };
    let hostile = ["'; DROP TABLE visits; --", "\u{202e}\u{0}\u{feff}CANARY", "\\\" OR 1=1 \n\r\t", "north\u{0}"];
    let day = |text: &str| date_days(text);
    vec![
        Pair { name: "empty against one unit", base: Vec::new(), unit: vec![row("new")] },
        Pair { name: "empty against a unit with all rows", base: Vec::new(), unit: many(8) },
        Pair { name: "a unit with all rows in many groups", base: others(), unit: many(8) },
        Pair { name: "a unit with far more rows than count", base: others(), unit: many(500) },
        Pair { name: "a unit with rows that are all equal", base: others(), unit: vec![row("new"); 20] },
        with("a value at the lower bound", |row| (row.age, row.cost, row.hba1c) = (Some(0), Some(0.0), Some(3.0))),
        with("a value at the upper bound", |row| {
            (row.age, row.cost, row.hba1c) = (Some(110), Some(2000.0), Some(18.0))
        }),
        with("a value below the lower bound", |row| {
            (row.age, row.cost, row.hba1c) = (Some(-1), Some(-0.01), Some(2.9))
        }),
        with("a value above the upper bound", |row| {
            (row.age, row.cost, row.hba1c) = (Some(111), Some(1e9), Some(18.1))
        }),
        with("not a number", |row| (row.cost, row.hba1c) = (Some(f64::NAN), Some(f64::NAN))),
        with("infinity", |row| (row.cost, row.hba1c) = (Some(f64::INFINITY), Some(f64::INFINITY))),
        with("minus infinity", |row| (row.cost, row.hba1c) = (Some(f64::NEG_INFINITY), Some(f64::NEG_INFINITY))),
        with("minus zero", |row| (row.cost, row.hba1c) = (Some(-0.0), Some(-0.0))),
        with("subnormal", |row| (row.cost, row.hba1c) = (Some(f64::from_bits(1)), Some(f64::MIN_POSITIVE / 4.0))),
        with("the largest floats", |row| (row.cost, row.hba1c) = (Some(f64::MAX), Some(f64::MIN))),
        with("the largest integer", |row| row.age = Some(i64::MAX)),
        with("the smallest integer", |row| row.age = Some(i64::MIN)),
        with("missing everywhere", |one| {
            let who = one.who.clone();
            *one = Row {
                who,
                region: None,
                smoker: None,
                age: None,
                visited: None,
                diagnosis: None,
                cost: None,
                hba1c: None,
                drug: None,
            };
        }),
        with("a listed category that nobody else has", |row| row.diagnosis = Some("injury".to_owned())),
        with("an unlisted category", |row| row.diagnosis = Some("a rare disease".to_owned())),
        with("the first day", move |row| row.visited = day("2020-01-01")),
        with("the last day", move |row| row.visited = day("2025-12-31")),
        with("a day past the end", move |row| row.visited = day("2026-01-01")),
        with("a day beyond any calendar", |row| row.visited = Some(i32::MAX)),
        with("a day before any calendar", |row| row.visited = Some(i32::MIN)),
        with("hostile text for a unit", move |row| row.who = hostile.concat()),
        with("hostile text for a category", move |row| {
            (row.region, row.diagnosis) = (Some(hostile.concat()), Some("x".repeat(1 << 20)));
        }),
    ]
}

/// Pairs whose unit has only texts that others have, too, so that both tables have the same groups.
pub fn pairs_of_texts() -> Vec<Pair> {
    let drug = |text: Option<&str>| {
        let mut row = row("new");
        row.drug = text.map(str::to_owned);
        row
    };
    let all = [Some("aspirin"), None, Some("ibuprofen")];
    let blanks = vec![drug(Some("  aspirin ")), drug(Some(" ")), drug(Some(""))];
    vec![
        Pair { name: "one text", base: others(), unit: vec![drug(Some("aspirin"))] },
        Pair { name: "all texts", base: others(), unit: all.iter().map(|text| drug(*text)).collect() },
        Pair { name: "many rows", base: others(), unit: (0..200).map(|at| drug(all[at % 3])).collect() },
        Pair { name: "blanks", base: others(), unit: blanks },
        Pair { name: "no text", base: others(), unit: vec![drug(None)] },
    ]
}

impl Pair {
    /// Writes one of the two tables.
    pub fn write(&self, path: &Path, has_unit: bool) {
        let rows: Vec<&Row> = self.base.iter().chain(self.unit.iter().filter(|_| has_unit)).collect();
        let texts = |of: &dyn Fn(&Row) -> Option<String>| rows.iter().map(|row| of(row)).collect::<Vec<_>>();
        let days: Vec<Option<i32>> = rows.iter().map(|row| row.visited).collect();
        let columns = vec![
            Column::new("patient_id".into(), texts(&|row| Some(row.who.clone()))),
            Column::new("region".into(), texts(&|row| row.region.clone())),
            Column::new("sex".into(), texts(&|_| Some("other".to_owned()))),
            Column::new("smoker".into(), rows.iter().map(|row| row.smoker).collect::<Vec<_>>()),
            Column::new("age".into(), rows.iter().map(|row| row.age).collect::<Vec<_>>()),
            Column::new("visited".into(), days).cast(&DataType::Date).expect("dates"),
            Column::new("diagnosis".into(), texts(&|row| row.diagnosis.clone())),
            Column::new("emergency".into(), rows.iter().map(|row| row.smoker).collect::<Vec<_>>()),
            Column::new("cost".into(), rows.iter().map(|row| row.cost).collect::<Vec<_>>()),
            Column::new("hba1c".into(), rows.iter().map(|row| row.hba1c).collect::<Vec<_>>()),
            Column::new("drug".into(), texts(&|row| row.drug.clone())),
        ];
        parquet(path, columns);
        write_patients(&path.with_file_name("patients.parquet"), &rows);
    }
}

/// Writes a register of the people with rows: what each person's first row says, with no row for some people and two for others.
fn write_patients(path: &Path, rows: &[&Row]) {
    let own = rows.iter().enumerate().filter(|(at, row)| {
        let is_first = !rows[..*at].iter().any(|before| before.who == row.who);
        (is_first || row.smoker == Some(false)) && row.diagnosis.as_deref() != Some("copd")
    });
    let own: Vec<&Row> = own.map(|(_, row)| *row).collect();
    let insurer =
        |row: &Row| row.age.map(|age| ["public", "private", "none", "unlisted"][(age % 4).unsigned_abs() as usize]);
    let columns = vec![
        Column::new("patient_id".into(), own.iter().map(|row| row.who.clone()).collect::<Vec<_>>()),
        Column::new("insurer".into(), own.iter().map(|row| insurer(row)).collect::<Vec<_>>()),
        Column::new("registered".into(), own.iter().map(|row| row.visited).collect::<Vec<_>>())
            .cast(&DataType::Date)
            .expect("dates"),
    ];
    parquet(path, columns);
}

/// Writes columns of one length.
pub fn parquet(path: &Path, columns: Vec<Column>) {
    let rows = columns.first().map_or(0, Column::len);
    let mut frame = DataFrame::new(rows, columns).expect("columns of one length");
    ParquetWriter::new(std::fs::File::create(path).expect("a file")).finish(&mut frame).expect("Parquet");
}
