//! Source tables as people have them: what a source states unambiguously is read the same in every format; what is ambiguous is refused or
//! counted.

use std::path::Path;

use polars::prelude::*;
use tacit::engine::seal::{Report, SealError, seal_with_key};
use tacit::query::terms::policy::Policy;

use crate::blocks::sealed_table;

const HEAD: &str = r#"[dataset]
name = "v"
source = SOURCE
privacy_unit = "patient_id"
max_rows_per_unit = 4
max_rows = 1000
accountant = "pure"
cap = { epsilon = "100" }
max_epsilon_per_query = "50"
"#;

pub const AGE: &str = "name = \"age\"\ntype = \"integer\"\nmin = \"0\"\nmax = \"110\"\nnullable = true";
pub const HBA1C: &str =
    "name = \"hba1c\"\ntype = \"decimal\"\nmin = \"3\"\nmax = \"18\"\nstep = \"0.1\"\nnullable = true";
pub const VISITED: &str = "name = \"visited\"\ntype = \"date\"\nmin = 2019-01-01\nmax = 2025-12-31\nnullable = true";
pub const SMOKER: &str = "name = \"smoker\"\ntype = \"boolean\"\nnullable = true";
pub const SEX: &str = "name = \"sex\"\ntype = \"category\"\nvalues = [\"f\", \"m\"]\nnullable = true";

/// Value that stands for a missing cell in [`Sealed::values`].
const NONE: i64 = i64::MIN;

pub struct Sealed {
    pub report: Report,
    pub frame: DataFrame,
}

impl Sealed {
    /// The stored integers of a column, sorted; `centre` is added to recover numbers from their stored form.
    fn values(&self, column: usize, centre: i64) -> Vec<i64> {
        let series =
            self.frame.column(&format!("c{column}")).expect("a column").cast(&DataType::Int64).expect("integers");
        let values = series.i64().expect("integers").iter().map(|value| value.map_or(NONE, |value| value + centre));
        let mut values: Vec<i64> = values.collect();
        values.sort_unstable();
        values
    }

    fn counts(&self, name: &str) -> tacit::engine::seal::encode::ColumnCounts {
        self.report.columns.iter().find(|(column, _)| column == name).expect("a column").1.clone()
    }
}

/// Seals the source in a folder under a policy with these keys and columns.
pub fn seal_in(dir: &Path, head: &str, columns: &[&str]) -> Result<Sealed, SealError> {
    let columns: String = columns.iter().map(|column| format!("[[column]]\n{column}\n")).collect();
    std::fs::write(dir.join("v.toml"), format!("{head}{columns}")).expect("a policy");
    let policy = Policy::load(&dir.join("v.toml")).unwrap_or_else(|error| panic!("{error}\n{head}{columns}"));
    let state = dir.join("s");
    let _ = std::fs::remove_dir_all(&state);
    let sealed = seal_with_key(&policy, &state, &[7; 32], &|_| {});
    if sealed.is_err() {
        assert_eq!(std::fs::read_dir(state.join("editions")).map_or(0, Iterator::count), 0, "nothing is left behind");
    }
    let (manifest, report) = sealed?;
    Ok(Sealed { report, frame: sealed_table(&state, &manifest) })
}

fn head(source: &str) -> String {
    HEAD.replace("SOURCE", source)
}

/// Seals a CSV file.
fn csv(text: impl AsRef<[u8]>, columns: &[&str]) -> Result<Sealed, SealError> {
    csv_with(text, "", columns)
}

/// Seals a CSV file under a policy with additional keys for the dataset.
fn csv_with(text: impl AsRef<[u8]>, keys: &str, columns: &[&str]) -> Result<Sealed, SealError> {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("v.csv"), text).expect("a file");
    seal_in(dir.path(), &format!("{}{keys}", head("\"v.csv\"")), columns)
}

/// Seals a frame as Parquet and as Arrow; the results must agree.
fn frame(columns: Vec<Column>, keys: &str, policy: &[&str]) -> Result<Sealed, SealError> {
    let dir = tempfile::tempdir().expect("a folder");
    let mut frame = DataFrame::new(columns[0].len(), columns).expect("a frame");
    let create = |name: &str| std::fs::File::create(dir.path().join(name)).expect("a file");
    ParquetWriter::new(create("v.parquet")).finish(&mut frame).expect("Parquet");
    IpcWriter::new(create("v.arrow")).finish(&mut frame).expect("Arrow");
    let parquet = seal_in(dir.path(), &format!("{}{keys}", head("\"v.parquet\"")), policy);
    let arrow = seal_in(dir.path(), &format!("{}{keys}", head("\"v.arrow\"")), policy);
    match (&parquet, &arrow) {
        (Ok(parquet), Ok(arrow)) => assert!(parquet.frame.equals_missing(&arrow.frame), "Parquet and Arrow"),
        (Err(_), Err(_)) => {}
        (parquet, arrow) => panic!("Parquet {:?}, Arrow {:?}", parquet.is_ok(), arrow.is_ok()),
    }
    parquet
}

fn ids(count: usize) -> Column {
    Column::new("patient_id".into(), (0..count).map(|at| format!("p{at}")).collect::<Vec<_>>())
}

fn refused(sealed: Result<Sealed, SealError>) -> String {
    match sealed {
        Ok(sealed) => panic!("it was sealed: {:?}", sealed.report),
        Err(error) => error.to_string(),
    }
}

const DAY_2020: i64 = 18_262;

/// A1: the day of a timestamp is the day in its own time zone, in every time resolution and format.
#[test]
fn zoned_moments_are_days_of_their_zone() {
    // 2020-01-01 00:00 in Berlin, and 23:30 of the same day in New York, as timestamps in UTC.
    let (berlin, york) = (1_577_833_200_i64, 1_577_939_400_i64);
    for (zone, seconds) in [("Europe/Berlin", berlin), ("America/New_York", york), ("+01:00", berlin)] {
        for (unit, scale) in [
            (TimeUnit::Milliseconds, 1_000),
            (TimeUnit::Microseconds, 1_000_000),
            (TimeUnit::Nanoseconds, 1_000_000_000),
        ] {
            let zone = TimeZone::opt_try_new(Some(zone)).expect("a zone");
            let moments = Int64Chunked::from_slice("visited".into(), &[seconds * scale]).into_datetime(unit, zone);
            let sealed = frame(vec![ids(1), moments.into_series().into_column()], "", &[VISITED]).expect("sealed");
            assert_eq!(sealed.values(0, 0), [DAY_2020], "{unit:?}");
        }
    }
    let utc = TimeZone::opt_try_new(Some("UTC")).expect("a zone");
    let moments =
        Int64Chunked::from_slice("visited".into(), &[berlin * 1_000]).into_datetime(TimeUnit::Milliseconds, utc);
    let columns = vec![ids(1), moments.into_series().into_column()];
    let told = frame(columns.clone(), "", &[VISITED]).expect("sealed");
    assert_eq!((told.values(0, 0), told.counts("visited").utc_days), (vec![DAY_2020 - 1], 1));
    let there = frame(columns, "time_zone = \"Europe/Berlin\"\n", &[VISITED]).expect("sealed");
    assert_eq!((there.values(0, 0), there.counts("visited").utc_days), (vec![DAY_2020], 0));
    for (text, zone, day, utc) in [
        ("2020-01-01T00:00:00+01:00", "", DAY_2020, 0),
        ("2019-12-31T23:00:00Z", "", DAY_2020 - 1, 1),
        ("2019-12-31 23:00:00+00:00", "time_zone = \"Europe/Berlin\"\n", DAY_2020, 0),
    ] {
        let sealed = csv_with(format!("patient_id,visited\na,{text}\n"), zone, &[VISITED]).expect("sealed");
        assert_eq!((sealed.values(0, 0), sealed.counts("visited").utc_days), (vec![day], utc), "{text}");
    }
}

/// A2: contradictory rows of a unit become one value by a deterministic rule, and are counted.
#[test]
fn contradictions_are_counted_or_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("a file");
    write("v.csv", "patient_id,visited\n12,2020-01-01\n12,2020-02-01\n13,2020-03-01\n");
    write("patients.csv", "patient_id,insurer\n12,public\n12,private\n13,\n13,public\n14,public\n");
    let join = "[[join]]\nname = \"patients\"\nsource = \"patients.csv\"\n[[join.column]]\nname = \"insurer\"\ntype = \"category\"\n\
                values = [\"private\", \"public\"]\nnullable = true\n";
    let sealed = |keys: &str| {
        let text = format!("{}{keys}[[column]]\n{VISITED}\n{join}", head("\"v.csv\""));
        std::fs::write(dir.path().join("v.toml"), text).expect("a policy");
        let policy = Policy::load(&dir.path().join("v.toml")).expect("a policy");
        let state = tempfile::tempdir().expect("a folder");
        // Each run uses a new random key: the rule must not depend on it.
        tacit::engine::seal::seal(&policy, state.path(), &|_| {})
            .map(|(manifest, report)| (report, sealed_table(state.path(), &manifest)))
    };
    for _ in 0..8 {
        let (report, frame) = sealed("").expect("sealed");
        let insurers = frame.column("c2").expect("insurer").cast(&DataType::Int64).expect("codes");
        let mut insurers: Vec<_> = insurers.i64().expect("codes").iter().flatten().collect();
        insurers.sort_unstable();
        assert_eq!(insurers, [0, 0, 1], "12 is private, and 13 public because it is known");
        assert_eq!(report.doubled, [("patients".to_owned(), 2)]);
        let (_, counts) = report.columns.iter().find(|(name, _)| name == "insurer").expect("a column");
        assert_eq!((counts.conflicts, counts.filled), (1, 1));
    }
    let error = sealed("conflicts = \"refuse\"\n").expect_err("refused").to_string();
    assert!(error.contains("column \"insurer\": the rows of 1 unit contradict each other"), "{error}");
    // A column with one value per unit in the dataset's own table, for a unit some of whose rows are cut.
    let per_unit = format!("{SEX}\nper_unit = true");
    let text = "patient_id,sex\na,m\na,f\na,\na,m\na,m\na,m\nb,\nb,m\n";
    let own = csv(text, &[&per_unit]).expect("sealed");
    assert_eq!(own.values(0, 0), [0, 0, 0, 0, 1, 1]);
    assert_eq!((own.counts("sex").conflicts, own.counts("sex").filled, own.report.rows_cut), (1, 2, 2));
    let error = refused(csv_with(text, "conflicts = \"refuse\"\n", &[&per_unit]));
    assert!(error.contains("1 unit contradict"), "{error}");
}

/// A4: column names are matched as people write them.
#[test]
fn names_are_taken_as_they_are() {
    for (header, age) in [
        ("PERSON_ID,AGE", AGE.to_owned()),
        ("Person ID,Age", AGE.to_owned()),
        (" person_id , age ", AGE.to_owned()),
        ("\"person_id\",\"Alter (Jahre)\"", format!("{AGE}\nsource = \"Alter (Jahre)\"")),
    ] {
        let text = head("\"v.csv\"").replace("patient_id", "person_id");
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("v.csv"), format!("{header}\n1,30\n2,41\n")).expect("a file");
        let sealed = seal_in(dir.path(), &text, &[&age]).unwrap_or_else(|error| panic!("{header}: {error}"));
        assert_eq!((sealed.report.units, sealed.values(0, 55)), (2, vec![30, 41]), "{header}");
    }
    for (header, name) in [("HbA1c (%)", "hba1c"), ("hba1c.value", "hba1c_value"), ("\"hba1c\n(%)\"", "hba1c")] {
        let column = HBA1C.replace("\"hba1c\"", &format!("\"{name}\""));
        let sealed = csv(format!("patient_id,{header}\na,6.5\n"), &[&column]);
        let sealed = sealed.unwrap_or_else(|error| panic!("{header:?}: {error}"));
        assert_eq!(sealed.values(0, 105), [65], "{header:?}");
    }
    let both = refused(csv("patient_id,Age,AGE\na,30,31\n", &[AGE]));
    assert!(both.contains("source = "), "two names fit: {both}");
}

/// A5 and A6: which values count as missing.
#[test]
fn missing_values_are_marked_or_empty() {
    let all = [SEX, AGE, VISITED];
    for mark in ["NA", "NULL", "null", ".", "-", "N/A", "None", "\\N", "?", "#N/A", "nan", "NaN", "-1", "999"] {
        let text = format!("patient_id,sex,age,visited\na,f,30,2020-01-01\nb,{mark},{mark},{mark}\n");
        let sealed =
            csv_with(&text, &format!("missing = ['{mark}']\n"), &all).unwrap_or_else(|error| panic!("{error}"));
        for column in 0..3 {
            assert_eq!(sealed.values(column, 0)[0], NONE, "{mark} {column}");
        }
        assert_eq!(sealed.counts("sex").unlisted, 0, "{mark}");
        if !mark.eq_ignore_ascii_case("nan") && mark != "-1" && mark != "999" {
            let error = refused(csv(&text, &all));
            assert!(
                error.contains("column \"age\": 1 value is not of type integer, the first in line 3"),
                "{mark}: {error}"
            );
            assert!(!error.contains(&format!(" {mark} ")), "no value is in {error}");
        }
    }
    let numbers = Column::new("age".into(), [Some(30.0), Some(-1.0), None]);
    let sealed = frame(vec![ids(3), numbers], "", &[&format!("{AGE}\nmissing = [\"-1\"]")]).expect("sealed");
    assert_eq!(sealed.values(0, 55)[2], 30);
    assert_eq!((sealed.counts("age").nulls, sealed.counts("age").clamped), (2, 0));
    for empty in ["", "\"\"", "   ", "\"  \""] {
        let every = [SEX, AGE, VISITED, HBA1C, SMOKER];
        let text = format!("patient_id,sex,age,visited,hba1c,smoker\na,{0},{0},{0},{0},{0}\n", empty);
        let sealed = csv(&text, &every).unwrap_or_else(|error| panic!("{empty:?}: {error}"));
        for (name, counts) in &sealed.report.columns {
            assert_eq!((counts.nulls, counts.unlisted, counts.unreadable), (1, 0, 0), "{empty:?} {name}");
        }
    }
}

/// A9: a column name that occurs twice is ambiguous.
#[test]
fn a_header_that_occurs_twice_is_refused() {
    let error = refused(csv("patient_id,hba1c,hba1c\na,6.5,9.9\n", &[HBA1C]));
    assert!(error.contains("two columns named \"hba1c\""), "{error}");
    for text in ["patient_id,hba1c, hba1c\na,6.5,9.9\n", "patient_id,hba1c,who,who\na,6.5,9.9,1\n"] {
        let error = refused(csv(text, &[HBA1C]));
        assert!(error.contains("have the same name"), "{error}");
    }
    let error = refused(csv("patient_id,patient_id,hba1c\na,b,6.5\n", &[HBA1C]));
    assert!(error.contains("two columns named \"patient_id\""), "{error}");
}

/// A13 and A16: types convert in the same way from every format.
#[test]
fn types_convert_alike() {
    let text = |values: &[Option<&str>]| Column::new("x".into(), values);
    let named = |column: Column, name: &str| column.with_name(name.into());
    let floats = Column::new("age".into(), [Some(30.0), None, Some(52.0)]);
    let sealed = frame(vec![ids(3), floats], "", &[AGE]).expect("whole floats are integers");
    assert_eq!(sealed.values(0, 55)[1..], [30, 52]);
    let fraction = Column::new("age".into(), [30.0, 30.5]);
    let error = refused(frame(vec![ids(2), fraction], "", &[AGE]));
    assert!(error.contains("1 value is not of type integer") && error.contains("row 2"), "{error}");
    let decimals = Column::new("age".into(), [30_i128, 52]).cast(&DataType::Decimal(10, 0)).expect("decimals");
    assert_eq!(frame(vec![ids(2), decimals], "", &[AGE]).expect("sealed").values(0, 55), [30, 52]);
    for flags in [
        Column::new("smoker".into(), [1.0, 0.0]),
        Column::new("smoker".into(), [1_i64, 0]),
        Column::new("smoker".into(), [true, false]),
        named(text(&[Some("T"), Some("F")]), "smoker"),
        named(text(&[Some("yes"), Some("no")]), "smoker"),
        named(text(&[Some("Y"), Some("n")]), "smoker"),
        named(text(&[Some("1.0"), Some("0.0")]), "smoker"),
        named(text(&[Some("on"), Some("FALSE")]), "smoker"),
    ] {
        assert_eq!(
            frame(vec![ids(2), flags.clone()], "", &[SMOKER]).expect("sealed").values(0, 0),
            [0, 1],
            "{flags:?}"
        );
    }
    let own = format!("{SMOKER}\ntrue = [\"J\", \"2\"]\nfalse = [\"N\", \"1\"]");
    for flags in [named(text(&[Some("J"), Some(" N ")]), "smoker"), Column::new("smoker".into(), [2.0, 1.0])] {
        assert_eq!(frame(vec![ids(2), flags], "", &[&own]).expect("sealed").values(0, 0), [0, 1]);
    }
    assert!(
        refused(frame(vec![ids(1), named(text(&[Some("yes")]), "smoker")], "", &[&own]))
            .contains("not of type boolean")
    );
    let labelled = "name = \"sex\"\ntype = \"category\"\nlabels = { \"1\" = \"f\", \"2\" = \"m\" }\nnullable = true";
    for codes in [
        Column::new("sex".into(), [1.0, 2.0]),
        Column::new("sex".into(), [1_i64, 2]),
        named(text(&[Some("1"), Some("2.0")]), "sex"),
        named(text(&[Some("f"), Some("m")]), "sex"),
    ] {
        assert_eq!(
            frame(vec![ids(2), codes.clone()], "", &[labelled]).expect("sealed").values(0, 0),
            [0, 1],
            "{codes:?}"
        );
    }
    for days in [
        Column::new("visited".into(), [20_200_101_i32]),
        Column::new("visited".into(), [20_200_101.0]),
        named(text(&[Some("20200101")]), "visited"),
        named(text(&[Some("2020-01-01T10:30:00")]), "visited"),
    ] {
        assert_eq!(
            frame(vec![ids(1), days.clone()], "", &[VISITED]).expect("sealed").values(0, 0),
            [DAY_2020],
            "{days:?}"
        );
    }
    let nothing = Column::new("x".into(), Series::new_null("x".into(), 1));
    for (column, name) in [(AGE, "age"), (HBA1C, "hba1c"), (VISITED, "visited"), (SMOKER, "smoker"), (SEX, "sex")] {
        let sealed = frame(vec![ids(1), named(nothing.clone(), name)], "", &[column]).expect("all missing");
        assert_eq!(sealed.values(0, 0), [NONE], "{name}");
    }
}

/// Ids of any exact type: numbers compare by value and text as it is, and ids that differ only in how a number is written are counted.
#[test]
fn ids_are_one_rule_everywhere() {
    let age = || Column::new("age".into(), [30_i64, 41]);
    for id in [
        Column::new("patient_id".into(), [12_i64, 13]),
        Column::new("patient_id".into(), [12.0, 13.0]),
        Column::new("patient_id".into(), [12_i128, 13]).cast(&DataType::Decimal(18, 0)).expect("decimals"),
        Column::new("patient_id".into(), [b"12".as_slice(), b"13"]),
        Column::new("patient_id".into(), ["12", "13"]),
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("out.csv"), "patient_id\n013\n").expect("a list");
        let mut frame = DataFrame::new(2, vec![id.clone(), age()]).expect("a frame");
        ParquetWriter::new(std::fs::File::create(dir.path().join("v.parquet")).expect("a file"))
            .finish(&mut frame)
            .expect("Parquet");
        let head = format!("{}exclude = \"out.csv\"\n", head("\"v.parquet\""));
        let sealed = seal_in(dir.path(), &head, &[AGE]).unwrap_or_else(|error| panic!("{id:?}: {error}"));
        assert_eq!((sealed.values(0, 55), sealed.report.ids_unmatched), (vec![30], 0), "{id:?}");
    }
    let error = refused(frame(vec![Column::new("patient_id".into(), [12.5, 13.0]), age()], "", &[AGE]));
    assert!(error.contains("1 id is not an exact whole number (fractions") && error.contains("row 1"), "{error}");
    let sealed = csv("patient_id,age\n12,30\n012,31\n12.0,32\n13,33\n", &[AGE]).expect("sealed");
    assert_eq!((sealed.report.units, sealed.report.ids_spelled_twice), (4, 2));
    // Tables whose programs write numbers differently can be joined, and such matches are counted.
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("v.csv"), "patient_id,age\n12,30\n13,31\n").expect("a file");
    std::fs::write(dir.path().join("patients.csv"), "patient_id,sex\n12.0,f\n013,m\n").expect("a file");
    let join = format!("[[join]]\nname = \"patients\"\nsource = \"patients.csv\"\n[[join.column]]\n{SEX}\n");
    std::fs::write(dir.path().join("v.toml"), format!("{}[[column]]\n{AGE}\n{join}", head("\"v.csv\"")))
        .expect("a policy");
    let policy = Policy::load(&dir.path().join("v.toml")).expect("a policy");
    let (_, report) = seal_with_key(&policy, &dir.path().join("s"), &[1; 32], &|_| {}).expect("sealed");
    assert_eq!(report.unjoined, [("patients".to_owned(), 0)]);
    assert_eq!(report.joined_by_value, [("patients".to_owned(), 2)]);
}

/// A14 and A15: other separators, decimal points and date formats.
#[test]
fn text_is_read_as_the_policy_says_it_is_written() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("v.csv"), "patient_id;hba1c;visited\na;6,5;31.12.2020\n").expect("a file");
    let visited = format!("{VISITED}\nformat = \"%d.%m.%Y\"");
    let source = "{ file = \"v.csv\", separator = \";\", decimal = \",\" }";
    let sealed = seal_in(dir.path(), &head(source), &[HBA1C, &visited]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((sealed.values(0, 105), sealed.values(1, 0)), (vec![65], vec![DAY_2020 + 365]));
    for (text, format) in [
        ("31/12/2020", "%d/%m/%Y"),
        ("12/31/2020", "%m/%d/%Y"),
        ("2020/12/31", "%Y/%m/%d"),
        ("31-Dec-2020", "%d-%b-%Y"),
    ] {
        let error = refused(csv(format!("patient_id,visited\na,{text}\n"), &[VISITED]));
        assert!(error.contains("the first in line 2") && error.contains("write days like 2020-12-31"), "{error}");
        let column = format!("{VISITED}\nformat = \"{format}\"");
        let sealed =
            csv(format!("patient_id,visited\na,{text}\n"), &[&column]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(sealed.values(0, 0), [DAY_2020 + 365], "{text}");
    }
    for text in ["6,5", "\"1,234.50\"", ">14", "<3"] {
        assert!(
            refused(csv(format!("patient_id,hba1c\na,\"{}\"\n", text.trim_matches('"')), &[HBA1C]))
                .contains("not of type decimal")
        );
    }
}

/// Many values that clamp to the same bound are reported with their count.
#[test]
fn values_that_clamp_in_bulk_are_named() {
    let mut text = String::from("patient_id,age,visited\n");
    for at in 0..40 {
        let (age, day) = if at % 2 == 0 { (-1, "1900-01-01") } else { (30, "2020-01-01") };
        text.push_str(&format!("p{at},{},{day}\n", if at == 7 { 999 } else { age }));
    }
    let sealed = csv(text, &[AGE, VISITED]).expect("sealed");
    assert_eq!(sealed.counts("age").clamped_values, [("-1".to_owned(), 20)]);
    assert_eq!(sealed.counts("age").clamped, 21);
    assert_eq!(sealed.counts("visited").clamped_values, [("1900-01-01".to_owned(), 20)]);
}

/// A table in which each row is a unit has as many rows as lines; blank lines do not count.
#[test]
fn blank_lines_are_no_rows() {
    let rows = head("\"v.csv\"").replace("\"patient_id\"", "\"row\"").replace("max_rows_per_unit = 4\n", "");
    for (text, blank) in
        [("age,sex\n30,f\n\n41,m\n\n\n", 3), ("age,sex\r\n30,f\r\n\r\n41,m\r\n", 1), ("age\n30\n\n41\n", 1)]
    {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("v.csv"), text).expect("a file");
        let sealed = seal_in(dir.path(), &rows, &[AGE]).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!((sealed.report.rows_kept, sealed.values(0, 55)), (2, vec![30, 41]), "{text:?}");
        assert_eq!(sealed.report.sources[0].blank_lines, blank, "{text:?}");
    }
}

/// A6 of the promises: two stray quotes swallow no rows, and text that spans several lines is one value if the policy allows it.
#[test]
fn quotes_swallow_no_rows() {
    let note = "name = \"note\"\ntype = \"text\"\nnullable = true";
    let mut text = String::from("patient_id,note,age\n");
    for row in 1..=1_002 {
        let note = match row {
            11 => "\"begins",
            501 => "ends\"",
            _ => "plain",
        };
        text.push_str(&format!("p{row},{note},30\n"));
    }
    for columns in [&[note, AGE][..], &[AGE]] {
        let error = refused(csv(&text, columns));
        assert!(error.contains("line 12") && error.contains("column 2"), "{error}");
    }
    let several = "patient_id,note,age\na,\"two\nlines\",30\nb,one,31\n";
    assert!(refused(csv(several, &[note, AGE])).contains("multiline = true"));
    let sealed = csv(several, &[&format!("{note}\nmultiline = true"), AGE]).expect("sealed");
    assert_eq!((sealed.report.rows_kept, sealed.report.sources[0].multiline_values), (2, 1));
    // A multi-line column that is not declared is named in the source's own setting.
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("v.csv"), several).expect("a file");
    let source = "{ file = \"v.csv\", multiline = [\"note\"] }";
    assert_eq!(seal_in(dir.path(), &head(source), &[AGE]).expect("sealed").report.rows_kept, 2);
    // With `quoted = false`, quotes are characters like any others.
    std::fs::write(dir.path().join("v.csv"), "patient_id,note,age\na,5\" nail,30\n").expect("a file");
    assert!(refused(seal_in(dir.path(), &head("\"v.csv\""), &[AGE])).contains("line 2"));
    let source = "{ file = \"v.csv\", quoted = false }";
    assert_eq!(seal_in(dir.path(), &head(source), &[AGE]).expect("sealed").report.rows_kept, 1);
}

/// A first row of data is not shown as if it were a list of column names.
#[test]
fn a_file_without_a_header_shows_no_row() {
    let error = refused(csv("secret-17,42\nsecret-18,43\n", &[AGE]));
    assert!(error.contains("header = false") && !error.contains("secret") && !error.contains("42"), "{error}");
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("v.csv"), "secret-17,42\nsecret-18,43\n").expect("a file");
    let head = format!("{}unit_source = \"column_1\"\n", head("{ file = \"v.csv\", header = false }"));
    let sealed = seal_in(dir.path(), &head, &[&format!("{AGE}\nsource = \"column_2\"")]).expect("sealed");
    assert_eq!(sealed.values(0, 55), [42, 43]);
}

/// Lines that are longer or shorter than the header are refused with their line number, and no line is changed silently.
#[test]
fn ragged_lines_are_refused_with_their_line() {
    for (text, line) in [
        ("patient_id,age\na,30\nb,31,\n", "line 3"),
        ("patient_id,age\na,30\nb\n", "line 3"),
        ("patient_id,age\na,30\n\nb,31,7\n", "line 4"),
    ] {
        let error = refused(csv(text, &[AGE]));
        assert!(error.contains(line), "{text:?}: {error}");
    }
}
