//! Questions over several tables as their askers meet them: a cohort over three tables and a gap between rows of a person, fresh over HTTP
//! from a server process with its workers, against plain polars on the unsealed tables in memory.
//!
//! ```sh
//! cargo bench -- cohorts                   # every question over ten million rows a table
//! cargo bench -- cohorts 1000000           # at another size
//! cargo bench -- cohorts 10000000 gap      # one question, to profile it
//! ```
//!
//! `TACIT_FIGURES=write` writes the figures of ten million rows into the table of `benches/README.md`.

mod catalogue;
mod tables;

use std::env;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use catalogue::{ALL, Question};
use polars::prelude::Engine;
use tables::Unsealed;

use crate::questions::server::{Installation, Server};
use crate::record;

/// Rows of each of the three tables, unless another number is named.
const ROWS: usize = 10_000_000;
/// Interleaved runs of each contestant.
const ROUNDS: usize = 7;

/// Runs as a program of its own if the command line asks for cohorts; whether it did.
pub fn run_alone() -> bool {
    let words: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let [first, rest @ ..] = &words[..] else { return false };
    if first != "cohorts" {
        return false;
    }
    let rows = rest.first().map_or(ROWS, |rows| rows.replace('_', "").parse().expect("a number of rows"));
    let wanted = |question: &&Question| rest.get(1).is_none_or(|key| key == question.key);
    let questions: Vec<&'static Question> = ALL.iter().filter(wanted).collect();
    assert!(!questions.is_empty(), "there are {:?}", ALL.map(|question| question.key));
    measure(rows, &questions);
    true
}

/// All questions, in a run of all benches; a run of some leaves them out.
pub fn all(_: &mut criterion::Criterion) {
    if env::args().skip(1).all(|word| word.starts_with('-')) {
        measure(ROWS, &ALL.iter().collect::<Vec<_>>());
    }
}

fn measure(rows: usize, questions: &[&'static Question]) {
    let dir = tempfile::tempdir().expect("a folder");
    tables::write_policy(dir.path(), rows);
    tables::write_sources(dir.path(), rows);
    let program = PathBuf::from(env!("CARGO_BIN_EXE_tacit"));
    let (installation, sealing) = Installation::seal(program, dir.path(), tables::DATASET, "now");
    println!("sealed three tables of {rows} rows in {:.1?}", sealing.taken);
    let server = installation.start();
    for question in questions {
        let line = measured(question, dir.path(), &server);
        match rows {
            ROWS => record::say(question.key, &line),
            _ => println!("{}: {line}", question.key),
        }
    }
}

/// The ratio of the medians of interleaved runs, with both.
fn measured(question: &Question, dir: &Path, server: &Server) -> String {
    let unsealed = Unsealed::read(dir, question.tables);
    let plans: Vec<(usize, Engine)> = (0..question.plain.len())
        .flat_map(|plan| [Engine::InMemory, Engine::Streaming].map(|engine| (plan, engine)))
        .collect();
    let mut constant = 0;
    let mut fresh = || {
        constant += 1;
        constant
    };
    let plain = |(plan, engine): (usize, Engine), constant: u32| {
        let query = question.plain[plan].1(&unsealed, constant);
        let begun = Instant::now();
        std::hint::black_box(query.collect_with_engine(engine).expect("an answer"));
        begun.elapsed()
    };
    let ours = |constant: u32| server.askers[0].ask(&question.sql(constant)).expect("a fresh answer");
    // The fastest way of plain polars, by the better of two runs each.
    let mut timed: Vec<(Duration, (usize, Engine))> = Vec::new();
    for way in plans {
        let taken = (0..2).map(|_| plain(way, fresh())).min().unwrap_or_default();
        timed.push((taken, way));
    }
    let (_, best) = timed.into_iter().min_by_key(|(taken, _)| *taken).expect("a way");
    ours(fresh());
    let (mut own, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let constant = fresh();
        for step in 0..2 {
            match (round + step) % 2 {
                0 => own.push(ours(constant)),
                _ => theirs.push(plain(best, constant)),
            }
        }
    }
    let (own, theirs) = (median(own), median(theirs));
    let engine = if best.1 == Engine::Streaming { "streaming" } else { "in memory" };
    format!(
        "{:.2} ({:.0} ms to {:.0} ms of plain polars, {engine}, {})",
        own.as_secs_f64() / theirs.as_secs_f64(),
        own.as_secs_f64() * 1e3,
        theirs.as_secs_f64() * 1e3,
        question.plain[best.0].0
    )
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Planning a cohort over three tables, from its text to its certificate-to-be.
pub fn plans(criterion: &mut criterion::Criterion) {
    let terms = tacit::query::terms::policy::Policy::parse(&tables::policy(ROWS)).expect("a policy").terms;
    criterion.bench_function("parse and plan a cohort over three tables (at most 1 ms)", |bench| {
        bench.iter(|| {
            let query = tacit::query::parse::parse(&catalogue::index_date(0)).expect("SQL");
            tacit::query::plan::plan(&query, &terms, None).expect("a plan")
        });
    });
}
