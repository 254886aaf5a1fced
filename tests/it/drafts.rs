//! Drafts from `policy draft` can be trusted: a draft seals once a person has replaced its placeholders, and not before.

use std::path::Path;
use std::process::Command;

use polars::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tacit::engine::seal::draft::draft;
use tacit::engine::seal::seal;
use tacit::engine::seal::source::SourceSpec;
use tacit::query::terms::policy::Policy;

const FILES: u64 = 200;
/// Number of kinds of columns that [`column`] generates.
const KINDS: u32 = 18;

/// A column of one kind, as texts; `None` for missing values.
fn column(kind: u32, rows: usize, dirty: bool, rng: &mut StdRng) -> Vec<Option<String>> {
    let day = |rng: &mut StdRng| (rng.random_range(1950..2024), rng.random_range(1..13), rng.random_range(1..29));
    let one = |rng: &mut StdRng| -> String {
        match kind {
            0 => rng.random_range(0..2).to_string(),
            1 => ["true", "false"][rng.random_range(0..2)].to_owned(),
            2 => ["TRUE", "FALSE"][rng.random_range(0..2)].to_owned(),
            3 => ["Y", "N"][rng.random_range(0..2)].to_owned(),
            4 => rng.random_range(0..110).to_string(),
            5 => format!("{}.0", rng.random_range(0..110)),
            6 => format!("{:.1}", rng.random_range(3.0..18.0_f64)),
            7 => format!("{:e}", rng.random_range(0.001..5e4_f64)),
            8 => ["north", "east", "south ", " west"][rng.random_range(0..4)].to_owned(),
            9 => ["f ", "m", "NA"][rng.random_range(0..3)].to_owned(),
            10 => {
                let (year, month, day) = day(rng);
                format!("{year}-{month:02}-{day:02}")
            }
            11 => {
                let (year, month, day) = day(rng);
                format!("{year}-{month:02}-{day:02} 00:00:00")
            }
            12 => {
                let (year, month, _) = day(rng);
                format!("{:02}/{month:02}/{year}", rng.random_range(13..29))
            }
            13 => {
                let (year, month, day) = day(rng);
                format!("{year}{month:02}{day:02}")
            }
            14 => format!("drug {}", rng.random_range(0..60)),
            15 => format!("note {} of \"{}\", long", rng.random::<u64>(), rng.random::<u32>()),
            16 => rng.random::<u64>().to_string(),
            _ => ["1", "2", "3"][rng.random_range(0..3)].to_owned(),
        }
    };
    let mark = ["NA", "", ".", "NULL", "  "][rng.random_range(0..5)];
    (0..rows)
        .map(|_| match dirty && rng.random_range(0..5) == 0 {
            true if rng.random_bool(0.5) => None,
            true => Some(mark.to_owned()),
            false => Some(one(rng)),
        })
        .collect()
}

fn name(at: usize, kind: u32, rng: &mut StdRng) -> String {
    match rng.random_range(0..5) {
        0 => format!("Column {at} ({kind} %)"),
        1 => format!("COL_{at}"),
        2 => format!("col.{at}"),
        _ => format!("col_{at}"),
    }
}

fn quote(text: &str, separator: char) -> String {
    if text.contains(['"', '\n', separator]) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// Writes a small file of random columns and returns its path.
fn file(dir: &Path, seed: u64, rng: &mut StdRng) -> std::path::PathBuf {
    let rows = rng.random_range(1..200);
    let columns: Vec<(String, u32, Vec<Option<String>>)> = (0..rng.random_range(1..7))
        .map(|at| {
            let kind = rng.random_range(0..KINDS);
            let dirty = rng.random_bool(0.5);
            (name(at, kind, rng), kind, column(kind, rows, dirty, rng))
        })
        .collect();
    let people: Vec<String> = (0..rows).map(|_| format!("p{}", rng.random_range(0..rows.max(2)))).collect();
    let format = seed % 5;
    if format < 3 {
        let separator = [',', ';', '\t'][format as usize];
        let header = columns.iter().map(|(name, _, _)| quote(name, separator));
        let mut text =
            std::iter::once("patient_id".to_owned()).chain(header).collect::<Vec<_>>().join(&separator.to_string());
        text.push('\n');
        for (row, person) in people.iter().enumerate() {
            let values = columns.iter().map(|(_, _, values)| quote(values[row].as_deref().unwrap_or(""), separator));
            text.push_str(
                &std::iter::once(person.clone()).chain(values).collect::<Vec<_>>().join(&separator.to_string()),
            );
            text.push('\n');
        }
        let path = dir.join(if separator == '\t' { "table.tsv" } else { "table.csv" });
        std::fs::write(&path, text).expect("a file");
        return path;
    }
    let mut frame = vec![Column::new("patient_id".into(), people)];
    for (name, kind, values) in columns {
        let texts = Column::new(name.as_str().into(), values);
        // Values that do not convert are missing, as programs write them.
        frame.push(match (kind, rng.random_bool(0.6)) {
            (0 | 4 | 17, true) => texts.cast(&DataType::Int32).expect("integers"),
            (5 | 6, true) => texts.cast(&DataType::Float64).expect("floats"),
            (10, true) => texts.cast(&DataType::Date).unwrap_or(texts),
            (13, true) => texts.cast(&DataType::Int32).expect("integers"),
            _ => texts,
        });
    }
    let mut frame = DataFrame::new(frame[0].len(), frame).expect("a frame");
    let path = dir.join(if format == 3 { "table.parquet" } else { "table.arrow" });
    let create = std::fs::File::create(&path).expect("a file");
    match format {
        3 => drop(ParquetWriter::new(create).finish(&mut frame).expect("Parquet")),
        _ => IpcWriter::new(create).finish(&mut frame).expect("Arrow"),
    }
    path
}

/// Edits a draft as a person would: fills in the unit, and accepts the bounds.
pub fn edited(draft: &str, unit: &str) -> String {
    let text = draft.replace("privacy_unit = \"?\"", &format!("privacy_unit = \"{unit}\"")).replace("seen:", "");
    let text = text.replace("format = \"?\"      # \"", "format = \"");
    text.lines()
        .map(|line| match line.strip_prefix("format = \"").and_then(|rest| rest.split_once('"')) {
            Some((format, _)) => format!("format = \"{format}\"\n"),
            None => format!("{line}\n"),
        })
        .collect()
}

#[test]
fn what_is_drafted_seals() {
    let mut rng = StdRng::seed_from_u64(13);
    let (mut columns, mut files) = (0, 0);
    for seed in 0..FILES {
        let dir = tempfile::tempdir().expect("a folder");
        let path = file(dir.path(), seed, &mut rng);
        let text = draft(&SourceSpec::file(&path), path.file_name().map(Path::new))
            .unwrap_or_else(|error| panic!("{seed}: {error}"));
        let shown =
            || std::fs::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).chars().take(600).collect::<String>());
        assert!(Policy::parse(&text).is_err(), "{seed}: an unread draft is taken:\n{text}");
        let mut edited = edited(&text, "patient_id");
        if !edited.contains("[[column]]") {
            // With only ids and notes, a person adds a column that can be asked about.
            edited.push_str("[[column]]\nname = \"patient\"\nsource = \"patient_id\"\ntype = \"text\"\n");
        }
        std::fs::write(dir.path().join("table.toml"), &edited).expect("a policy");
        let policy = Policy::load(&dir.path().join("table.toml"))
            .unwrap_or_else(|error| panic!("{seed}: {error}\n{edited}\n{:?}", shown()));
        let (_, report) = seal(&policy, &dir.path().join("state"), &|_| {})
            .unwrap_or_else(|error| panic!("{seed}: {error}\n{edited}\n{:?}", shown()));
        for (name, counts) in &report.columns {
            assert_eq!((counts.clamped, counts.unlisted), (0, 0), "{seed}: {name} keeps what was seen\n{edited}");
            columns += 1;
        }
        files += 1;
    }
    assert!(files == FILES && columns > FILES, "{columns} columns of {files} files");
}

#[test]
fn a_draft_is_not_taken_unread() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut csv = String::from("Patient ID,Sex,Age,When,Zip\n");
    for at in 0..60 {
        csv.push_str(&format!(
            "{},{},{},2020-01-{:02},{}\n",
            at / 3,
            ["f", "m"][at / 3 % 2],
            20 + at,
            1 + at % 28,
            at % 7
        ));
    }
    std::fs::write(dir.path().join("v.csv"), csv).expect("a file");
    let tacit = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_tacit"))
            .current_dir(dir.path())
            .args(arguments)
            .output()
            .expect("the binary");
        (
            output.status.code(),
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
        )
    };
    let (code, text) = tacit(&["policy", "draft", "v.csv"]);
    assert_eq!(code, Some(0), "{text}");
    for words in [
        "privacy_unit = \"?\"",
        "privacy_unit = \"patient_id\"      # 20 different ids, at most 3 rows of one",
        "max_rows_per_unit = 3",
        "source = \"Sex\"",
        "values = [\"seen:f\", \"seen:m\"]\nper_unit = true",
        "min = \"seen:20\"",
    ] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
    std::fs::write(dir.path().join("v.toml"), &text).expect("a policy");
    let (code, said) = tacit(&["policy", "check", "v.toml"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("privacy_unit is still the draft's") && said.contains("was seen in the data"), "{said}");
    let (code, said) = tacit(&["seal", "v.toml", "--state", "state"]);
    assert!(code == Some(1) && !dir.path().join("state").exists(), "{said}");
    std::fs::write(dir.path().join("v.toml"), edited(&text, "patient_id")).expect("a policy");
    let (code, said) = tacit(&["policy", "check", "v.toml", "--source"]);
    assert!(code == Some(0) && said.contains("would be sealed; nothing was written"), "{said}");
    let (code, said) = tacit(&["seal", "v.toml", "--dry-run", "--state", "state"]);
    assert!(code == Some(0) && said.contains("60 rows read") && !dir.path().join("state").exists(), "{said}");
    let wrong =
        edited(&text, "patient_id").replace("name = \"age\"", "name = \"yeer\"").replace("source = \"Age\"\n", "");
    std::fs::write(dir.path().join("w.toml"), wrong).expect("a policy");
    assert_eq!(tacit(&["policy", "check", "w.toml"]).0, Some(0));
    let (code, said) = tacit(&["policy", "check", "w.toml", "--source"]);
    assert!(code == Some(1) && said.contains("has no column \"yeer\""), "{said}");
}

/// Files that no reader supports are left out of a draft with a remark, and the rest is drafted; a workbook is drafted like any other file.
#[test]
fn a_draft_leaves_out_what_is_not_read() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sources");
    let drafted =
        |name: &str| draft(&SourceSpec::file(&data.join(name)), None).unwrap_or_else(|error| panic!("{name}: {error}"));
    for name in ["dec256.parquet", "dec256.arrow"] {
        let text = drafted(name);
        assert!(text.contains("# column \"v\" is left out: it holds") && text.contains("\"id\""), "{text}");
    }
    assert!(drafted("people.xlsx").contains("[[column]]"));
}
