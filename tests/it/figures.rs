//! The table of figures in `benches/README.md`: what a run of the benches writes into it, and what it leaves alone.

#[expect(dead_code, reason = "a bench measures; here its files are made by hand")]
#[path = "../../benches/record.rs"]
mod record;

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use record::{BEGIN, END, Measured, ROWS, with_section};
use serde_json::json;

use crate::support::repository_file;

/// Writes down a benchmark as criterion does.
fn measured(home: &Path, folder: &str, id: &str, nanos: f64, elements: Option<u64>) {
    let dir = home.join(folder).join("new");
    fs::create_dir_all(&dir).expect("a folder");
    let throughput = elements.map(|elements| json!({"Elements": elements}));
    let named = json!({"full_id": id, "throughput": throughput}).to_string();
    fs::write(dir.join("benchmark.json"), named).expect("a file");
    let estimates = json!({"median": {"point_estimate": nanos}}).to_string();
    fs::write(dir.join("estimates.json"), estimates).expect("a file");
}

const TABLE: &str = "# Figures\n\n| price | asked | old | 2026 | `price` |\n<!-- figures: begin -->\n\
                     | what | asked for | measured | when | row |\n|---|---|---|---|---|\n\
                     | price | ≤ 50 µs | old | 2026-01-01 | `price` |\n| replay | – | old | 2026-01-01 | `replay` |\n\
                     | scan | ≤ 1 | old | 2026-01-01 | `scan` |\n| year | – | old | 2026-01-01 | `year` |\n\
                     <!-- figures: end -->\n| price | asked | old | 2026 | `price` |\n";

#[test]
fn rows_that_were_measured_are_written_and_nothing_else() {
    let home = tempfile::tempdir().expect("a folder");
    let at = home.path();
    measured(at, "a", "price and certify a count and a mean (at most 50 µs)", 5_312.0, None);
    measured(at, "b", "parse and plan", 10_300.0, None);
    measured(at, "replay/c", "replay/a replayed answer over HTTP, 32 connections (…)", 62_111.0, Some(1));
    // Half of what the row of the scan needs.
    measured(at, "scan/d", "over ten million rows/exact integers of the sealed table (…)", 4e7, None);
    fs::create_dir(at.join("said")).expect("a folder");
    fs::write(at.join("said/year.txt"), "0.042 in the worst range").expect("a file");
    let (text, keys) = Measured::since(at, SystemTime::UNIX_EPOCH).written(TABLE, "2026-12-24");
    let wanted = TABLE
        .replace("≤ 50 µs | old | 2026-01-01", "≤ 50 µs | 5.31 µs; parse and plan 10.3 µs | 2026-12-24")
        .replace("| replay | – | old | 2026-01-01", "| replay | – | 16,100 a second | 2026-12-24")
        .replace("| year | – | old | 2026-01-01", "| year | – | 0.042 in the worst range | 2026-12-24");
    assert_eq!((text, keys), (wanted, ["price", "replay", "year"].map(str::to_owned).to_vec()));
    // Files of an earlier run say nothing of this one.
    let later = fs::metadata(at.join("said/year.txt")).and_then(|meta| meta.modified()).expect("a moment");
    let (text, keys) = Measured::since(at, later + Duration::from_secs(60)).written(TABLE, "2026-12-24");
    assert_eq!((text.as_str(), keys.len()), (TABLE, 0));
}

#[test]
fn every_row_is_known_and_stands_in_the_table_once() {
    let text = repository_file("benches/README.md");
    let (_, rest) = text.split_once(BEGIN).expect("the table begins");
    let (table, _) = rest.split_once(END).expect("the table ends");
    let keys: Vec<_> = table.lines().filter_map(|line| line.rsplit('|').nth(1)).map(str::trim).collect();
    let keys: Vec<_> = keys.iter().filter_map(|cell| cell.strip_prefix('`')?.strip_suffix('`')).collect();
    for (key, _) in &ROWS {
        assert_eq!(keys.iter().filter(|one| *one == key).count(), 1, "row {key} of the benches");
    }
    // What the tests measure, and no bench.
    let by_hand: Vec<_> = keys.iter().filter(|key| ROWS.iter().all(|(known, _)| known != *key)).collect();
    assert_eq!(by_hand, [&"first-page"]);
}

#[test]
fn a_section_is_replaced_between_its_lines_and_nothing_else() {
    let once = with_section("# Figures\n", "questions 10", "first\n");
    assert_eq!(once, "# Figures\n\n<!-- questions 10: begin -->\n\nfirst\n\n<!-- questions 10: end -->\n");
    let both = with_section(&once, "questions 100", "other");
    let again = with_section(&both, "questions 10", "second");
    assert_eq!(again, both.replace("first", "second"));
}

/// A benchmark that is renamed would silently stop writing its row.
#[test]
fn every_row_names_benchmarks_that_there_are() {
    let sources: String = crate::tidy::sources("benches").into_iter().map(|(_, text)| text).collect();
    let record = repository_file("benches/record.rs");
    let others = sources.replace(&record, "");
    let rows = record.split_once("pub const ROWS").and_then(|(_, rest)| rest.split_once("\n];")).expect("the rows").0;
    for pattern in rows.split('"').skip(1).step_by(2).filter(|text| text.contains('*') || text.contains('/')) {
        // Numbers in names come from variables.
        let parts = pattern.split(['*', '/']).filter(|part| part.len() > 3 && !part.contains(char::is_numeric));
        for part in parts {
            assert!(others.contains(part), "{pattern}: no bench is named {part}");
        }
    }
}
