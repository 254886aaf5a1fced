//! Sealing: what is kept, what is cut, what stops it, and that nothing is left behind.

use std::path::Path;

use polars::prelude::*;
use tacit::engine::seal::{Report, SealError, seal, seal_with_key};
use tacit::query::terms::edition::Manifest;
use tacit::query::terms::policy::Policy;

use crate::blocks::sealed_table;
use crate::support::{PURE, policy, visits};

fn write(dir: &Path, policy_text: &str, csv: &str) -> Policy {
    std::fs::write(dir.join("visits.csv"), csv).expect("a source");
    std::fs::write(dir.join("policy.toml"), policy_text).expect("a policy");
    Policy::load(&dir.join("policy.toml")).unwrap_or_else(|error| panic!("{error}"))
}

fn sealed(policy_text: &str, csv: &str) -> Result<(Manifest, Report), SealError> {
    let dir = tempfile::tempdir().expect("a folder");
    let policy = write(dir.path(), policy_text, csv);
    let sealed = seal(&policy, &dir.path().join("state"), &|_| {});
    if sealed.is_err() {
        let left = std::fs::read_dir(dir.path().join("state/editions")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "nothing is left behind");
    }
    sealed
}

/// Rows of the sealed table, sorted, without unit numbers.
fn table(dir: &Path, manifest: &Manifest) -> Vec<String> {
    let frame = sealed_table(dir, manifest).drop("unit").expect("a unit column");
    let frame = frame.drop("rank").expect("a rank column");
    let mut rows: Vec<String> =
        (0..frame.height()).map(|row| format!("{:?}", frame.get(row).expect("a row"))).collect();
    rows.sort();
    rows
}

#[test]
fn rows_are_bounded_counted_and_clamped() {
    let header = "patient_id,region,diagnosis,smoker,age,cost,visited\n";
    let mut csv = String::from(header);
    for visit in 0..10 {
        csv.push_str(&format!("busy,north,flu,true,{visit},1,2023-01-01\n"));
    }
    csv.push_str(
        "odd,south,plague,,200,-5,1999-01-01\nodd,south,flu,,7,NaN,2023-01-01\n".replace("NaN", "inf").as_str(),
    );
    let (manifest, report) = sealed(&policy(PURE), &csv).expect("sealed");
    assert_eq!((report.rows_read, report.rows_kept, report.rows_cut, report.units), (12, 6, 6, 2));
    assert_eq!(manifest.rows, 6);
    let column = |name: &str| report.columns.iter().find(|(column, _)| column == name).expect(name).1.clone();
    assert_eq!((column("diagnosis").unlisted, column("diagnosis").nulls), (1, 1));
    assert_eq!((column("age").clamped, column("cost").clamped, column("visited").clamped), (1, 2, 1));
}

#[test]
fn the_order_of_the_file_and_other_units_change_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let text = policy(PURE).replace("max_rows_per_unit = 4", "max_rows_per_unit = 1");
    let csv = visits(60);
    let mut lines: Vec<_> = csv.lines().skip(1).collect();
    let header = csv.lines().next().expect("a header");
    let sealed = |lines: &[&str], state: &str| {
        let policy = write(dir.path(), &text, &format!("{header}\n{}\n", lines.join("\n")));
        let (manifest, _) = seal_with_key(&policy, &dir.path().join(state), &[3; 32], &|_| {}).expect("sealed");
        table(&dir.path().join(state), &manifest)
    };
    let one = sealed(&lines, "a");
    lines.reverse();
    assert_eq!(sealed(&lines, "b"), one, "the order of the file");
    lines.retain(|line| !line.starts_with("p7,"));
    let fewer = sealed(&lines, "c");
    assert_eq!(fewer.len() + 1, one.len());
    assert!(fewer.iter().all(|row| one.contains(row)), "the rows of the others stay");
}

#[test]
fn units_that_withdrew_are_left_out() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("out.csv"), "patient_id\np1\n p2 \nnobody\n").expect("a list");
    let text = policy(PURE).replace("privacy_unit", "exclude = \"out.csv\"\nprivacy_unit");
    let bad = "p1,mars,flu,maybe,x,y,z\n";
    let policy = write(dir.path(), &text, &format!("{}{bad}", visits(10)));
    let (_, report) = seal(&policy, &dir.path().join("state"), &|_| {}).expect("sealed");
    assert_eq!((report.units, report.rows_excluded, report.ids_unmatched), (8, 6, 1));
    std::fs::write(dir.path().join("out.csv"), "p1\np2\n").expect("a list without a header");
    let error = seal(&policy, &dir.path().join("state"), &|_| {}).expect_err("no header").to_string();
    assert!(error.contains("has no column \"patient_id\""), "{error}");
}

#[test]
fn a_source_that_does_not_fit_says_why_once() {
    let header = "patient_id,region,diagnosis,smoker,age,cost,visited\n";
    for (csv, words) in [
        (
            format!("{header}a,up,flu,true,1,1,2023-01-01\n"),
            "column \"region\": 1 value is missing (1 because the policy does not list it, the first in line 2)",
        ),
        (
            format!("{header}a,north,flu,maybe,1,1,2023-01-01\n"),
            "column \"smoker\": 1 value is not of type boolean, the first in line 2",
        ),
        (
            format!("{header}a,north,flu,true,1,1,2023-01-01\na,north,flu,true,x,1,2023-01-01\n"),
            "column \"age\": 1 value is not of type integer, the first in line 3",
        ),
        (format!("{header}a,north,flu,true,1.5,1,2023-01-01\n"), "column \"age\": 1 value is not of type integer"),
        (format!("{header}a,north,flu,true,1,1,yesterday\n"), "column \"visited\": 1 value is not of type date"),
        (format!("{header},north,flu,true,1,1,2023-01-01\n"), "1 row has no \"patient_id\""),
        (format!("{header}a,north,flu,true,,1,2023-01-01\n"), "column \"age\": 1 value is missing, and the policy"),
        (
            "patient_id,region\na,north\n".to_owned(),
            "has no column \"diagnosis\"; its columns are \"patient_id\", \"region\"",
        ),
        (String::new(), "holds nothing, not even a header"),
    ] {
        let error = sealed(&policy(PURE), &csv).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    }
    let few = policy(PURE).replace("max_rows = 1_000_000", "max_rows = 5");
    assert!(sealed(&few, &visits(20)).expect_err("too many").to_string().contains("max_rows = 5"));
}

#[test]
fn files_of_every_format_seal_alike() {
    let dir = tempfile::tempdir().expect("a folder");
    let csv = visits(40);
    let policy_of = |source: &str| {
        let text = policy(PURE).replace("visits.csv", source);
        std::fs::write(dir.path().join("policy.toml"), text).expect("a policy");
        Policy::load(&dir.path().join("policy.toml")).expect("a policy")
    };
    std::fs::write(dir.path().join("visits.csv"), &csv).expect("CSV");
    let options = CsvReadOptions::default()
        .with_infer_schema_length(Some(1000))
        .map_parse_options(|parse| parse.with_try_parse_dates(true));
    let mut frame =
        CsvReader::new(std::io::Cursor::new(csv.as_bytes())).with_options(options).finish().expect("a frame");
    let create = |name: &str| std::fs::File::create(dir.path().join(name)).expect("a file");
    ParquetWriter::new(create("visits.parquet")).finish(&mut frame).expect("Parquet");
    IpcWriter::new(create("visits.arrow")).finish(&mut frame).expect("Arrow");
    let gzip = std::process::Command::new("gzip").arg("-k").arg(dir.path().join("visits.csv")).status();
    let mut sources = vec!["visits.csv", "visits.parquet", "visits.arrow"];
    match gzip {
        Ok(status) if status.success() => sources.push("visits.csv.gz"),
        _ => println!("skipped: visits.csv.gz, for there is no gzip here"),
    }
    let mut tables = sources.iter().map(|source| {
        let state = dir.path().join("state");
        let (manifest, _) =
            seal_with_key(&policy_of(source), &state, &[1; 32], &|_| {}).unwrap_or_else(|error| panic!("{error}"));
        table(&state, &manifest)
    });
    let first = tables.next().expect("a table");
    assert!(tables.all(|table| table == first));
    for (name, words) in
        [("visits.doc", "tells no known format"), ("gone.csv", "cannot be read"), ("state.csv", "holds no file")]
    {
        std::fs::create_dir_all(dir.path().join("state.csv")).expect("a folder");
        let error = seal(&policy_of(name), &dir.path().join("state"), &|_| {}).expect_err(name).to_string();
        assert!(error.contains(words), "{error}");
    }
    let retyped = policy(PURE).replace("visits.csv", "visits.parquet").replace(
        "name = \"region\"\ntype = \"category\"\nvalues = [\"north\", \"east\", \"south\", \"west\"]",
        "name = \"region\"\ntype = \"integer\"\nmin = \"0\"\nmax = \"3\"",
    );
    std::fs::write(dir.path().join("policy.toml"), retyped).expect("a policy");
    let error =
        seal(&Policy::load(&dir.path().join("policy.toml")).expect("a policy"), &dir.path().join("state"), &|_| {})
            .expect_err("another type");
    assert!(
        error.to_string().contains("column \"region\": 79 values are not of type integer, the first in row 1"),
        "{error}"
    );
}

#[test]
fn a_damaged_file_of_any_length_is_refused_in_our_words() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut frame = CsvReader::new(std::io::Cursor::new(visits(300).into_bytes())).finish().expect("a frame");
    let path = dir.path().join("visits.parquet");
    ParquetWriter::new(std::fs::File::create(&path).expect("a file")).finish(&mut frame).expect("Parquet");
    let whole = std::fs::read(&path).expect("bytes");
    std::fs::write(dir.path().join("policy.toml"), policy(PURE).replace("visits.csv", "visits.parquet"))
        .expect("a policy");
    let policy = Policy::load(&dir.path().join("policy.toml")).expect("a policy");
    for length in (0..whole.len()).step_by(1 + whole.len() / 12) {
        std::fs::write(&path, &whole[..length]).expect("a shorter file");
        let error = seal(&policy, &dir.path().join("state"), &|_| {}).expect_err("cut short").to_string();
        assert!(error.contains("is not a readable Parquet file"), "{length}: {error}");
    }
}

/// Lists of people who withdrew come from other programs, which write 7 as 7.0 or 007.
#[test]
fn numbers_are_matched_by_value_in_the_list_of_those_who_withdrew() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("out.csv"), "patient_id\n3.0\n007\n").expect("a list");
    let text = policy(PURE).replace("privacy_unit", "exclude = \"out.csv\"\nprivacy_unit");
    let policy = write(dir.path(), &text, &visits(10).replace("\np", "\n"));
    let (_, report) = seal(&policy, &dir.path().join("state"), &|_| {}).expect("sealed");
    assert_eq!((report.units, report.ids_unmatched), (8, 0));
}

#[test]
fn whole_and_decimal_texts_of_one_value_seal_alike() {
    let text = policy(PURE)
        .replace("min = \"0\"\nmax = \"500\"\nstep = \"0.01\"", "min = \"-10\"\nmax = \"10\"\nstep = \"2\"");
    let header = "patient_id,region,diagnosis,smoker,age,cost,visited\n";
    let sealed = |cost: &str| {
        let dir = tempfile::tempdir().expect("a folder");
        let policy = write(dir.path(), &text, &format!("{header}a,north,flu,true,1,{cost},2023-01-01\n"));
        let (manifest, _) = seal_with_key(&policy, dir.path(), &[1; 32], &|_| {}).expect("sealed");
        table(dir.path(), &manifest)
    };
    for (whole, decimal) in [("-3", "-3.0"), ("3", "3.0"), ("-5", "-5.0"), ("9", "9.0")] {
        assert_eq!(sealed(whole), sealed(decimal), "{whole}");
    }
}
