//! Eighteen questions as their askers meet them: fresh answers over HTTP from a server process with its workers, against plain polars on
//! the unsealed table in memory.
//!
//! ```sh
//! cargo bench -- questions                   # every question, at the sizes of TACIT_QUESTIONS_ROWS
//! cargo bench -- questions 1000000           # every question at one size
//! cargo bench -- questions 10000000 people   # one question at one size, to profile it
//! ```
//!
//! | variable | what it says |
//! |---|---|
//! | `TACIT_QUESTIONS_ROWS` | sizes, `1000000,10000000` unless it is set; a hundred million rows need 24 GiB of memory and 15 GB of disk |
//! | `TACIT_QUESTIONS_ROUNDS` | interleaved runs of each, 7 unless it is set |
//! | `TACIT_QUESTIONS_DIR` | a folder that keeps the sources from one run to the next, instead of a temporary one |
//! | `TACIT_BEFORE` | a binary of an earlier version, which is measured in the same runs |
//! | `TACIT_FIGURES=write` | the tables are written into `benches/README.md` |

mod catalogue;
mod measure;
mod report;
pub mod server;
pub mod table;

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use catalogue::{ALL, Question};
use criterion::Criterion;
use measure::{Bench, Constants, Row};
use report::{Sealing, Size};
use server::Installation;

use crate::record;

const SIZES: &str = "1000000,10000000";
/// Above so many rows an earlier version seals but is not asked, and plain polars answers one query at a time: more would not fit into
/// memory.
const BESIDE_MAX: usize = 20_000_000;
/// How often a server is started to see when it answers first.
const STARTS: usize = 3;

/// Interleaved runs of each contestant.
const ROUNDS: usize = 7;

/// Nanoseconds for each row of the answers at the size before, by key.
type PerRow = BTreeMap<&'static str, f64>;

/// Runs as a program of its own if the command line asks for questions; whether it did.
pub fn run_alone() -> bool {
    let words: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let [first, rest @ ..] = &words[..] else { return false };
    if first != "questions" {
        return false;
    }
    let wanted = rest.get(1).map(|key| {
        let keys = ALL.iter().map(|question| question.key).collect::<Vec<_>>().join(", ");
        catalogue::named(key).unwrap_or_else(|| panic!("{key} is no question; there are {keys}"))
    });
    let questions: Vec<&'static Question> = wanted.map_or_else(|| ALL.iter().collect(), |one| vec![one]);
    sizes(rest.first().cloned(), &questions);
    true
}

/// All questions, in a run of all benches; a run of some leaves them out.
pub fn all(_: &mut Criterion) {
    if env::args().skip(1).all(|word| word.starts_with('-')) {
        sizes(None, &ALL.iter().collect::<Vec<_>>());
    }
}

fn sizes(named: Option<String>, questions: &[&'static Question]) {
    let named = named.or_else(|| env::var("TACIT_QUESTIONS_ROWS").ok()).unwrap_or_else(|| SIZES.to_owned());
    let mut per_row = PerRow::new();
    for rows in named.split(',').map(|rows| rows.replace('_', "").parse().expect("a number of rows")) {
        per_row = size(rows, questions, &per_row);
    }
}

/// Measures questions at one size, prints the table, and returns the time of each for a row.
fn size(rows: usize, questions: &[&'static Question], before: &PerRow) -> PerRow {
    let temporary = tempfile::tempdir().expect("a folder");
    let kept = env::var_os("TACIT_QUESTIONS_DIR").map(|dir| PathBuf::from(dir).join(rows.to_string()));
    let dir = kept.as_deref().unwrap_or(temporary.path());
    std::fs::create_dir_all(dir).expect("a folder");
    table::write_policy(dir, rows);
    table::write_sources(dir, rows);
    let measured = measured(dir, rows, questions);
    let text = report::table(&measured, before);
    println!("{text}");
    if questions.len() == ALL.len() {
        record::write_section(&format!("questions {rows}"), &text).expect("benches/README.md is written");
    }
    let ours =
        |row: &Row| Some((row.question.key, row.ours.as_ref().ok()?.alone.taken.as_nanos() as f64 / rows as f64));
    measured.answered.iter().filter_map(ours).collect()
}

fn measured(dir: &Path, rows: usize, questions: &[&'static Question]) -> Size {
    let constants = Constants::new();
    let old = env::var_os("TACIT_BEFORE").map(PathBuf::from);
    table::warm(dir);
    let old = old.map(|program| Installation::seal(program, dir, "visits", "before"));
    let program = PathBuf::from(env!("CARGO_BIN_EXE_tacit"));
    let (ours, sealed) = Installation::seal(program, dir, "visits", "now");
    let sealing = Sealing { ours: sealed, before: old.as_ref().map(|(_, cost)| *cost), bytes: ours.sealed_bytes() };
    let old = old.map(|(old, _)| old).filter(|_| rows <= BESIDE_MAX);
    let first = first_answer(&ours, &constants);
    let first_before = old.as_ref().map(|old| first_answer(old, &constants));
    let (server, before) = (ours.start(), old.as_ref().map(Installation::start));
    println!("{rows} rows; the server and its workers are {:?}", server.processes());
    let rounds = env::var("TACIT_QUESTIONS_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    let bench = Bench { dir, ours: &server, before: before.as_ref(), constants: &constants, rounds };
    let measure_one = |question: &&'static Question| {
        let row = measure::measure(question, &bench);
        println!("{}", report::line(&row, rows, &PerRow::new()));
        row
    };
    let answered = questions.iter().map(measure_one).collect();
    let pids = server.processes();
    let (held_mb, most_mb) = (server::held_mb(&pids), server::most_resident_mb(&pids));
    Size { rows, rounds, workers: pids.len() - 1, answered, sealing, first, first_before, held_mb, most_mb }
}

/// The time from a server's start to its first answer, the median of some starts.
fn first_answer(installation: &Installation, constants: &Constants) -> Duration {
    let start = |_| {
        let server = installation.start();
        server.askers[0].ask(&ALL[0].sql(constants.fresh())).expect("a first answer");
        server.started.elapsed()
    };
    let mut taken: Vec<Duration> = (0..STARTS).map(start).collect();
    taken.sort_unstable();
    taken[taken.len() / 2]
}
