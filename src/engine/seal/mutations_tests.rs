//! Damages a CSV file a little: whatever was not touched is sealed as before,
//! or the file is refused, or the report says that something differs.

use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::super::SealError;
use super::super::ids::Withdrawn;
use super::Opened;
use crate::engine::seal::encode::ColumnCounts;
use crate::query::terms::policy::Policy;

const MUTATIONS: usize = 10_000;
const ROWS: usize = 12;

const POLICY: &str = r#"
[dataset]
name = "v"
source = "v.csv"
privacy_unit = "id"
max_rows_per_unit = 4
max_rows = 1000
accountant = "pure"
cap = { epsilon = "1" }
[[column]]
name = "age"
type = "integer"
min = "0"
max = "110"
nullable = true
[[column]]
name = "cost"
type = "decimal"
min = "0"
max = "500"
step = "0.01"
nullable = true
[[column]]
name = "day"
type = "date"
min = 2019-01-01
max = 2025-12-31
nullable = true
[[column]]
name = "sex"
type = "category"
values = ["f", "m"]
nullable = true
[[column]]
name = "note"
type = "text"
nullable = true
"#;

/// What sealing would keep of each unit, and what the report counts.
type Kept = (HashMap<String, Vec<Vec<i64>>>, Vec<ColumnCounts>, u64);

fn kept(policy: &Policy) -> Result<Kept, SealError> {
    let opened = Opened::new(policy, &policy.source, 0..policy.terms.own().len())?;
    let mut units: HashMap<String, Vec<Vec<i64>>> = HashMap::new();
    let encoded = opened.rows(&mut Withdrawn::default(), &[1; 32], |rows| {
        for (row, id) in rows.ids().into_iter().flatten().enumerate() {
            let mut values = Vec::new();
            rows.extend(row, &mut values);
            units.entry(id.to_owned()).or_default().push(values);
        }
        Ok(())
    })?;
    Ok((units, encoded.counts, encoded.read.rows))
}

/// Makes one change to a file, and returns it with the units whose lines it touches.
fn mutated(text: &str, rng: &mut StdRng) -> (Vec<u8>, Vec<String>) {
    let lines: Vec<&str> = text.lines().collect();
    let line = rng.random_range(0..lines.len());
    let start: usize = lines[..line].iter().map(|line| line.len() + 1).sum();
    let at = start + rng.random_range(0..=lines[line].len());
    let mut bytes = text.as_bytes().to_vec();
    match rng.random_range(0..4) {
        0 => drop(bytes.remove(at.min(bytes.len() - 1))),
        1 => bytes.insert(at, b'"'),
        2 => bytes.truncate(at),
        _ => {
            let end = (at + rng.random_range(1..30)).min(bytes.len());
            bytes.drain(at..end);
        }
    }
    // Removing a line end joins the line with the next one.
    let touched = lines[line..(line + 3).min(lines.len())].iter();
    let touched = touched.map(|line| line.split(',').next().unwrap_or_default().trim_matches('"').to_owned());
    (bytes, touched.collect())
}

#[test]
fn nothing_that_was_not_touched_changes_in_silence() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut policy = Policy::parse(POLICY).expect("a policy");
    policy.source = crate::engine::seal::source::SourceSpec::file(&dir.path().join("v.csv"));
    let mut rng = StdRng::seed_from_u64(6);
    let mut text = String::from("id,age,cost,day,sex,note\n");
    for row in 0..ROWS {
        let note = ["plain", "\"quoted, with a comma\"", "\"says \"\"no\"\"\"", ""][row % 4];
        text.push_str(&format!(
            "u{row:02},{},{row}.{row:02},2020-01-{:02},{},{note}\n",
            20 + row,
            row + 1,
            ["f", "m"][row % 2]
        ));
    }
    std::fs::write(dir.path().join("v.csv"), &text).expect("a file");
    let (clean, counts, _) = kept(&policy).expect("the clean file");
    let (mut refused, mut told, mut only_touched) = (0, 0, 0);
    for _ in 0..MUTATIONS {
        let (bytes, touched) = mutated(&text, &mut rng);
        let cut = bytes.len() < text.len() / 2 || bytes.iter().filter(|byte| **byte == b'\n').count() < ROWS;
        std::fs::write(dir.path().join("v.csv"), &bytes).expect("a file");
        let Ok((units, now, rows)) = kept(&policy) else {
            refused += 1;
            continue;
        };
        if now != counts || rows != ROWS as u64 {
            told += 1;
        }
        for (unit, values) in clean.iter().filter(|(unit, _)| !touched.contains(unit)) {
            // Removed lines are counted; the remaining ones are unchanged.
            let same = units.get(unit).map_or(cut && rows < ROWS as u64, |now| now == values);
            assert!(same, "{unit} changed in silence:\n{}", String::from_utf8_lossy(&bytes));
        }
        only_touched += 1;
    }
    assert!(
        refused > MUTATIONS / 4 && told > MUTATIONS / 100 && only_touched > MUTATIONS / 10,
        "{refused} refused, {told} told, {only_touched}"
    );
}
