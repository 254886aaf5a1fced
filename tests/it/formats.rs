//! One table in every format seals to the same integers.

use std::path::Path;

use polars::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::as_they_come::{AGE, HBA1C, SEX, SMOKER, VISITED, seal_in};
use crate::postgres::Server;

const TABLES: u64 = 30;
/// Number of tables that are also loaded into PostgreSQL.
const OF_POSTGRESQL: u64 = 6;

const HEAD: &str = r#"[dataset]
name = "v"
source = SOURCE
privacy_unit = "patient_id"
max_rows_per_unit = 3
max_rows = 10000
accountant = "pure"
cap = { epsilon = "100" }
"#;

/// One row with its intended values; `None` if a value is missing.
struct Row {
    id: String,
    age: Option<i32>,
    /// Value in tenths, sometimes outside the bounds.
    hba1c: Option<i64>,
    /// Day, counted from 1970-01-01.
    visited: Option<i32>,
    smoker: Option<bool>,
    sex: Option<&'static str>,
    note: String,
}

fn rows(rng: &mut StdRng) -> Vec<Row> {
    let count = rng.random_range(1..120);
    let some = |rng: &mut StdRng| rng.random_bool(0.85);
    (0..count)
        .map(|_| Row {
            id: format!("p{}", rng.random_range(0..40)),
            age: some(rng).then(|| rng.random_range(-5..120)),
            hba1c: some(rng).then(|| rng.random_range(10..300)),
            visited: some(rng).then(|| rng.random_range(17_000..21_000)),
            smoker: some(rng).then(|| rng.random_bool(0.5)),
            sex: some(rng).then(|| ["f", "m", "x"][rng.random_range(0..3)]),
            note: ["", "plain", "with, comma; and \"quotes\"", "tab\tin it"][rng.random_range(0..4)].to_owned(),
        })
        .collect()
}

fn day(days: i32) -> String {
    tacit::query::terms::domain::date_text(days)
}

/// Writes the table as text with the given separator, decimal point and line end, with or without quotes around all values, and with or
/// without a byte-order mark.
fn text(rows: &[Row], (separator, point, end, quoted, mark): (char, char, &str, bool, bool)) -> String {
    let quote = |value: String| match quoted || value.contains([separator, '"']) {
        true => format!("\"{}\"", value.replace('"', "\"\"")),
        false => value,
    };
    let line = |values: [String; 7]| values.map(quote).join(&separator.to_string()) + end;
    let mut text = if mark { "\u{feff}" } else { "" }.to_owned();
    text.push_str(&line(["patient_id", "age", "hba1c", "visited", "smoker", "sex", "note"].map(str::to_owned)));
    for row in rows {
        let tenths = |value: i64| format!("{}{point}{}", value / 10, value % 10);
        text.push_str(&line([
            row.id.clone(),
            row.age.map(|age| age.to_string()).unwrap_or_default(),
            row.hba1c.map(tenths).unwrap_or_default(),
            row.visited.map(day).unwrap_or_default(),
            row.smoker.map(|smoker| smoker.to_string()).unwrap_or_default(),
            row.sex.unwrap_or_default().to_owned(),
            row.note.clone(),
        ]));
    }
    text
}

fn frame(rows: &[Row], rng: &mut StdRng) -> DataFrame {
    let ages = Column::new("age".into(), rows.iter().map(|row| row.age).collect::<Vec<_>>());
    let tenths: Vec<_> = rows.iter().map(|row| row.hba1c.map(|value| value as f64 / 10.0)).collect();
    let days = Column::new("visited".into(), rows.iter().map(|row| row.visited).collect::<Vec<_>>());
    let ages = if rng.random_bool(0.5) { ages.cast(&DataType::Float64).expect("floats") } else { ages };
    let hba1c = Column::new("hba1c".into(), tenths);
    let hba1c = match rng.random_range(0..3) {
        0 => hba1c.cast(&DataType::Float32).expect("single floats"),
        1 => hba1c.cast(&DataType::Decimal(10, 2)).expect("decimals"),
        _ => hba1c,
    };
    let columns = vec![
        Column::new("patient_id".into(), rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>()),
        ages,
        hba1c,
        days.cast(&DataType::Date).expect("dates"),
        Column::new("smoker".into(), rows.iter().map(|row| row.smoker).collect::<Vec<_>>()),
        Column::new("sex".into(), rows.iter().map(|row| row.sex).collect::<Vec<_>>()),
    ];
    DataFrame::new(rows.len(), columns).expect("a frame")
}

/// Loads the table into a database.
fn load(server: &Server, rows: &[Row]) {
    let shown =
        |value: Option<String>| value.map_or("NULL".to_owned(), |value| format!("'{}'", value.replace('\'', "''")));
    let values: Vec<String> = rows
        .iter()
        .map(|row| {
            let values = [
                Some(row.id.clone()),
                row.age.map(|age| age.to_string()),
                row.hba1c.map(|value| format!("{}.{}", value / 10, value % 10)),
                row.visited.map(day),
                row.smoker.map(|smoker| smoker.to_string()),
                row.sex.map(str::to_owned),
            ];
            format!("({})", values.map(shown).join(", "))
        })
        .collect();
    let sql = format!(
        "DROP TABLE IF EXISTS v; CREATE TABLE v (\"Patient_ID\" text, age int, hba1c numeric, visited timestamp, smoker boolean, sex text);\
         INSERT INTO v VALUES {};",
        values.join(", ")
    );
    server.psql(&sql).expect("loaded");
}

#[test]
fn one_table_seals_alike_in_every_format() {
    let mut rng = StdRng::seed_from_u64(29);
    let server = Server::found();
    for table in 0..TABLES {
        let dir = tempfile::tempdir().expect("a folder");
        let rows = rows(&mut rng);
        let mut sources = Vec::new();
        for (name, dialect, more) in [
            ("a.csv", (',', '.', "\n", false, false), ""),
            ("b.csv", (';', ',', "\r\n", true, true), ", separator = \";\", decimal = \",\""),
            ("c.tsv", ('\t', '.', "\n", false, false), ""),
        ] {
            std::fs::write(dir.path().join(name), text(&rows, dialect)).expect("a file");
            sources.push(format!("{{ file = \"{name}\"{more} }}"));
        }
        let mut frame = frame(&rows, &mut rng);
        let create = |name: &str| std::fs::File::create(dir.path().join(name)).expect("a file");
        ParquetWriter::new(create("d.parquet")).finish(&mut frame).expect("Parquet");
        IpcWriter::new(create("e.arrow")).finish(&mut frame).expect("Arrow");
        IpcStreamWriter::new(create("f.arrow")).finish(&mut frame).expect("Arrow");
        sources.extend(["\"d.parquet\"", "\"e.arrow\"", "\"f.arrow\""].map(str::to_owned));
        if let Some(server) = server.as_ref().filter(|_| table < OF_POSTGRESQL) {
            load(server, &rows);
            let connection = format!("host={} user=postgres dbname=postgres", server.socket().display());
            sources.push(format!("{{ postgresql = \"{connection}\", query = \"SELECT * FROM v;\" }}"));
        }
        let sealed = |source: &String| {
            seal_in(dir.path(), &HEAD.replace("SOURCE", source), &[AGE, HBA1C, VISITED, SMOKER, SEX])
                .unwrap_or_else(|error| panic!("{table}: {error}"))
        };
        let first = sealed(&sources[0]);
        assert_eq!(first.report.rows_read, rows.len() as u64);
        for source in &sources[1..] {
            let other = sealed(source);
            assert!(other.frame.equals_missing(&first.frame), "{table} {source}\n{:?}\n{:?}", first.frame, other.frame);
            // Positions are lines in one format and rows in another, so they are not compared.
            let counts = |sealed: &crate::as_they_come::Sealed| {
                let mut columns = sealed.report.columns.clone();
                columns.iter_mut().for_each(|(_, counts)| counts.first_unlisted = None);
                columns
            };
            assert_eq!(counts(&other), counts(&first), "{table} {source}");
        }
    }
    if server.is_none() {
        println!("skipped: PostgreSQL as a source, for its server is not here");
    }
}

/// Files in folders whose names contain values form one table.
#[test]
fn several_files_are_one_table() {
    let dir = tempfile::tempdir().expect("a folder");
    for (year, part, ids) in [(2020, 0, ["a", "b"]), (2020, 1, ["c", "d"]), (2021, 0, ["e", "f"])] {
        let folder = dir.path().join(format!("visits/year={year}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("_SUCCESS"), "").expect("a file");
        let columns = vec![Column::new("patient_id".into(), ids), Column::new("age".into(), [30_i64, 40])];
        let mut frame = DataFrame::new(2, columns).expect("a frame");
        let file = std::fs::File::create(folder.join(format!("part-{part}.parquet"))).expect("a file");
        ParquetWriter::new(file).finish(&mut frame).expect("Parquet");
    }
    let year = "name = \"year\"\ntype = \"integer\"\nmin = \"2000\"\nmax = \"2030\"";
    for source in
        ["\"visits\"", "\"visits/**/*.parquet\"", "{ files = [\"visits/year=2020\", \"visits/year=2021/*.parquet\"] }"]
    {
        let sealed = seal_in(dir.path(), &HEAD.replace("SOURCE", source), &[AGE, year])
            .unwrap_or_else(|error| panic!("{source}: {error}"));
        assert_eq!((sealed.report.rows_kept, sealed.report.units), (6, 6), "{source}");
        let years = sealed.frame.column("c1").expect("years").cast(&DataType::Int64).expect("integers");
        let years: i64 = years.i64().expect("integers").iter().flatten().map(|year| year + 2015).sum();
        assert_eq!(years, 4 * 2020 + 2 * 2021, "{source}");
    }
    for (source, words) in [
        ("\"visits/*.csv\"", "visits/*.csv"),
        ("\"nowhere\"", "nowhere"),
        ("\"visits/year=2020/_SUCCESS\"", "_SUCCESS"),
    ] {
        match seal_in(dir.path(), &HEAD.replace("SOURCE", source), &[AGE]) {
            Ok(_) => panic!("{source} was sealed"),
            Err(error) => assert!(error.to_string().contains(words), "{error}"),
        }
    }
}

/// OHDSI's tables, exactly as their programs write them, with upper-case names.
#[test]
fn eunomia_is_drafted_checked_and_sealed() {
    let Some(folder) = eunomia() else {
        println!("skipped: Eunomia, for its tables are not here");
        return;
    };
    for name in ["person", "condition_occurrence"] {
        let dir = tempfile::tempdir().expect("a folder");
        let file = format!("{name}.parquet");
        std::fs::copy(folder.join(&file), dir.path().join(&file)).expect("a copy");
        let spec = tacit::engine::seal::source::SourceSpec::file(&dir.path().join(&file));
        let text =
            tacit::engine::seal::draft::draft(&spec, Some(Path::new(&file))).unwrap_or_else(|error| panic!("{error}"));
        let edited = crate::drafts::edited(&text, "person_id");
        std::fs::write(dir.path().join("p.toml"), &edited).expect("a policy");
        let policy = tacit::query::terms::policy::Policy::load(&dir.path().join("p.toml"))
            .unwrap_or_else(|error| panic!("{error}\n{edited}"));
        let (_, report) = tacit::engine::seal::seal(&policy, &dir.path().join("s"), &|_| {})
            .unwrap_or_else(|error| panic!("{error}\n{edited}"));
        assert!(report.units > 2_000 && report.columns.len() > 4, "{name}: {report:?}\n{edited}");
        assert!(report.columns.iter().all(|(_, counts)| counts.clamped + counts.unlisted == 0), "{name}: {report:?}");
    }
}

/// The folder with the tables beside the repository, if it exists.
fn eunomia() -> Option<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.join("shared/data/eunomia");
    folder.join("person.parquet").exists().then_some(folder)
}
