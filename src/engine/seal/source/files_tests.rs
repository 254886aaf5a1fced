//! Tests of sources that consist of several files.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::engine::seal::source::open::Source;
use crate::engine::seal::source::tests::{Whole, read};
use crate::engine::seal::source::{SourceError, SourceLocation, SourceSpec, WantedColumn};

fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("written");
    }
    dir
}

fn shown(dir: &Path, whole: &Whole) -> Vec<String> {
    let row = |(place, values): &(String, Vec<Option<String>>)| {
        let values: Vec<_> = values.iter().map(|value| value.as_deref().unwrap_or("-")).collect();
        format!("{} {}", place.replace(&format!("{}/", dir.display()), ""), values.join("/"))
    };
    whole.rows.iter().map(row).collect()
}

fn check(files: &[(&str, &str)], path: &str, expected: &[&str]) {
    let dir = folder(files);
    let whole = read(&SourceSpec::file(&dir.path().join(path))).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!(shown(dir.path(), &whole), expected, "{path}");
}

fn refuse(files: &[(&str, &str)], from: &dyn Fn(&Path) -> SourceLocation, expected: &str) {
    let dir = folder(files);
    let error =
        read(&SourceSpec { from: from(dir.path()), ..SourceSpec::file(dir.path()) }).expect_err("refused").to_string();
    let error =
        error.replace(&format!("{}/", dir.path().display()), "").replace(&dir.path().display().to_string(), "DIR");
    assert!(error.starts_with(expected), "{error}");
}

const PARTS: [(&str, &str); 6] = [
    ("v/b.csv", "id,age\n3,30\n"),
    ("v/a.csv", "id,age\n1,10\n\n2,20\n"),
    ("v/_SUCCESS", "anything"),
    ("v/.a.csv.crc", "anything"),
    ("v/_old/c.csv", "id\n9\n"),
    ("v/sub/c.csv", "age,id\n40,4\n"),
];

#[test]
fn folders_globs_and_lists_are_read_in_order() {
    let all = ["v/a.csv, line 2 1/10", "v/a.csv, line 4 2/20", "v/b.csv, line 2 3/30", "v/sub/c.csv, line 2 4/40"];
    check(&PARTS, "v", &all);
    check(&PARTS, "v/**/*.csv", &all);
    check(&PARTS, "v/**", &all);
    check(&PARTS, "v/*", &all);
    check(&PARTS, "*/?.csv", &all[..3]);
    check(&PARTS, "v/*/c.csv", &["v/sub/c.csv, line 2 40/4"]);
    check(&PARTS, "v/_old/*.csv", &["v/_old/c.csv, line 2 9"]);
    check(&PARTS, "v/a.csv", &["line 2 1/10", "line 4 2/20"]);
    let dir = folder(&PARTS);
    let list = ["v/sub", "v/a.csv"].map(|name| dir.path().join(name)).to_vec();
    let spec = SourceSpec { from: SourceLocation::Files(list), ..SourceSpec::file(dir.path()) };
    let whole = read(&spec).expect("read");
    assert_eq!(shown(dir.path(), &whole), ["v/sub/c.csv, line 2 40/4", "v/a.csv, line 2 10/1", "v/a.csv, line 4 20/2"]);
    let bytes = "age,id\n40,4\nid,age\n1,10\n\n2,20\n";
    let digest = Some(blake3::hash(bytes.as_bytes()).to_hex().to_string());
    assert_eq!((whole.read.rows, whole.read.bytes, whole.read.lines, whole.read.blank_lines), (3, 30, 6, 1));
    assert_eq!(whole.read.digest, digest);
}

#[test]
fn keys_in_the_names_of_folders_are_columns() {
    let files = [
        ("v/year=2020/region=nord%20ost/p.csv", "id\n1\n2\n"),
        ("v/year=2021/region=__HIVE_DEFAULT_PARTITION__/p.csv", "id\n3\n"),
    ];
    let (first, second) = (files[0].0, files[1].0);
    let expected = [
        format!("{first}, line 2 1/2020/nord ost"),
        format!("{first}, line 3 2/2020/nord ost"),
        format!("{second}, line 2 3/2021/-"),
    ];
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    check(&files, "v", &expected);
    check(&files, "v/*/*/p.csv", &expected);
    let dir = folder(&files);
    let source = Source::open(&SourceSpec::file(&dir.path().join("v"))).expect("open");
    assert_eq!(source.find(&WantedColumn { name: "year", source: None }), Ok(1));
    // Reading only keys must still count the rows.
    let mut rows = 0;
    let read = source.batches(&[(1, false)], |batch| {
        rows += batch.columns[0].len();
        Ok::<(), SourceError>(())
    });
    assert_eq!((read.expect("read").rows, rows), (3, 3));
}

#[test]
fn a_key_that_is_a_column_is_refused_where_it_is_wanted() {
    let dir = folder(&[("v/year=2020/p.csv", "id,Year\n1,1999\n")]);
    let source = Source::open(&SourceSpec::file(&dir.path().join("v"))).expect("open");
    assert_eq!(source.find(&WantedColumn { name: "id", source: None }), Ok(0));
    let error = source.find(&WantedColumn { name: "year", source: None }).expect_err("two readings").to_string();
    assert!(error.contains("\"year\" is a column of the files and a key in the names of their folders"), "{error}");
}

#[test]
fn files_that_are_not_parts_of_one_table_are_refused() {
    let path = |name: &'static str| move |dir: &Path| SourceLocation::Path(dir.join(name));
    let list = |names: &'static [&'static str]| {
        move |dir: &Path| SourceLocation::Files(names.iter().map(|name| dir.join(name)).collect())
    };
    for (files, from, expected) in [
        (&PARTS[..], &path("w*.csv") as &dyn Fn(&Path) -> SourceLocation, "w*.csv: matches no file"),
        (&PARTS, &path("gone/*.csv"), "gone/*.csv: matches no file"),
        (&PARTS, &path("gone.csv"), "gone.csv: cannot be read: there is no such file"),
        (&[("v/_a.csv", "")], &path("v"), "v: is a folder that holds no file"),
        (&PARTS, &list(&[]), "source: names no file"),
        (&PARTS, &list(&["v/a.csv", "v/b.csv", "v/a.csv"]), "v/a.csv: is named twice"),
        (&PARTS, &list(&["v", "v/sub/../a.csv"]), "v/sub/../a.csv: is named twice"),
        (&[("v/a.csv", "id\n1\n"), ("v/b.tsv", "id\n1\n")], &path("v"), "v/b.tsv: is of another format than v/a.csv"),
        (&[("v/a.csv", "id\n1\n"), ("v/readme.md", "x")], &path("v"), "v/readme.md: the name tells no known format"),
        (
            &[("v/a.csv", "id,age\n1,2\n"), ("v/b.csv", "id,bmi,sex\n1,2,3\n")],
            &path("v"),
            "v/b.csv: has other columns than v/a.csv: it lacks 1 of them and has 2 others",
        ),
        (
            &[("v/a.csv", "id,age\n1,2\n"), ("v/b.csv", "id,age,age\n1,2,3\n")],
            &path("v"),
            "v/b.csv: has other columns than v/a.csv",
        ),
        (
            &[("v/year=1/a.csv", "id\n1\n"), ("v/a.csv", "id\n1\n")],
            &path("v"),
            "v/year=1/a.csv: has other keys in the names of its folders than v/a.csv",
        ),
        (&[("v/a.csv", "id,x\n1,2\n"), ("v/b.csv", "id,x\n1,2\n3\n")], &path("v"), "v/b.csv, line 3: has 1 field"),
    ] {
        refuse(files, from, expected);
    }
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_back_is_refused() {
    let dir = folder(&PARTS);
    std::os::unix::fs::symlink(dir.path().join("v"), dir.path().join("v/sub/back")).expect("a link");
    let error = read(&SourceSpec::file(&dir.path().join("v"))).expect_err("no end").to_string();
    assert!(error.contains("folders more than 32 deep"), "{error}");
}

/// Numbers are read alike, whatever type holds them; a column that is null throughout has no known type.
#[test]
fn types_may_differ_where_they_are_read_alike() {
    use polars::prelude::*;
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, column: Column| {
        let mut frame = DataFrame::new(1, vec![column]).expect("a frame");
        ParquetWriter::new(fs::File::create(dir.path().join(name)).expect("a file"))
            .finish(&mut frame)
            .expect("written");
    };
    write("a.parquet", Column::full_null("age".into(), 1, &DataType::Null));
    write("b.parquet", Column::new("age".into(), [30_i64]));
    write("c.parquet", Column::new("age".into(), [31.0]));
    let spec = SourceSpec::file(dir.path());
    let source = Source::open(&spec).expect("open");
    assert_eq!(source.columns()[0].dtype, DataType::Int64);
    let mut types = Vec::new();
    let read = source.batches(&[(0, false)], |batch| {
        types.push(batch.columns[0].dtype().clone());
        Ok::<(), SourceError>(())
    });
    assert_eq!(read.expect("read").rows, 3);
    assert_eq!(types, [DataType::Null, DataType::Int64, DataType::Float64]);
    write("d.parquet", Column::new("age".into(), ["30"]));
    let error = Source::open(&spec).expect_err("text").to_string();
    assert!(error.contains("d.parquet: column 1 holds str, and i64 in "), "{error}");
}
