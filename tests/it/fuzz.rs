//! Fuzzing on stable Rust: a corpus, mutations of it from a seeded generator, and properties that must hold for every input.
//!
//! `TACIT_FUZZ` asks for more inputs for each target. A failure names the target and shows the input, which should be added to
//! `tests/corpus`.

mod mutate;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use axum::http::Method;
use tacit::engine::{Engine, Host, PolarsEngine};
use tacit::kernel::privacy::amounts::{Delta, Epsilon};
use tacit::ledger::replan::Replanner;
use tacit::ledger::verify;
use tacit::query::canonical;
use tacit::query::computation::CELLS_MAX;
use tacit::query::parse::parse;
use tacit::query::plan::plan;
use tacit::query::terms::edition::Manifest;
use tacit::query::terms::policy::{Policy, Terms};
use tacit::service::asking::ask::Margin;

use crate::support::{Lab, block_on, call, repository_file};
use mutate::Mutations;

/// Inputs for each target in an ordinary run.
const INPUTS: usize = 400;

/// The contents of all files in these folders of the repository.
fn corpus(folders: &[&str]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for folder in folders {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut files: Vec<_> = fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
        files.retain(|path| path.is_file());
        files.sort();
        found.extend(files.iter().map(|path| fs::read(path).expect("a file")));
    }
    assert!(found.len() >= 3);
    found
}

/// Runs a target on the corpus and then on mutations of it, and checks that it accepts some of these inputs.
fn run(name: &str, corpus: &[Vec<u8>], words: &[&str], share: usize, mut target: impl FnMut(&[u8]) -> bool) {
    let wanted = std::env::var("TACIT_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(INPUTS) / share;
    let mut mutations = Mutations::new(corpus, words);
    let inputs = corpus.iter().cloned().chain((0..wanted).map(|_| mutations.next()));
    let (mut all, mut good) = (0, 0);
    for input in inputs {
        match catch_unwind(AssertUnwindSafe(|| target(&input))) {
            Ok(is_good) => good += usize::from(is_good),
            Err(_) => panic!("{name}: {:?}", String::from_utf8_lossy(&input)),
        }
        all += 1;
    }
    println!("{name}: {all} inputs, {good} of them good");
    assert!(good > 0, "{name} finds something good");
}

fn terms() -> Terms {
    Policy::parse(&repository_file("src/demo/visits.toml")).expect("a policy").terms
}

#[test]
fn sql_becomes_a_plan_or_a_place() {
    let terms = terms();
    let words = [
        "SELECT",
        "FROM visits",
        "WHERE",
        "GROUP BY",
        "AND",
        "OR",
        "NOT (",
        ")",
        "IN (",
        "BETWEEN",
        "NULL",
        "age",
        "cost",
        "'x'",
        "1e9",
        "COUNT(*)",
        "DISTINCT",
        "--",
        "/*",
        "$$",
        "\u{0}",
        "9223372036854775808",
        "DATE '2024-02-30'",
    ];
    run("sql", &corpus(&["tests/corpus/sql", "queries", "queries/refused"]), &words, 1, |input| {
        let sql = String::from_utf8_lossy(input);
        let planned = parse(&sql).and_then(|query| plan(&query, &terms, None));
        let plan_one = match planned {
            Ok(plan) => plan,
            Err(error) => {
                assert!(!error.message.is_empty() && error.message.len() < 2_000, "{}", error.message);
                return false;
            }
        };
        let cells: u64 = plan_one.sought.iter().map(|sought| sought.cells).sum();
        // A list of keys measures nothing, and is answered from the policy.
        let least = u64::from(!plan_one.computation.measures.is_empty());
        assert!((least..=CELLS_MAX).contains(&cells), "{sql}");
        assert!(
            plan_one.sought.iter().all(|sought| sought.sensitivity.l1() > 0 && sought.sensitivity.l2_squared() > 0)
        );
        // The form stored in the ledger means the same, or is refused as too long before a charge.
        let text = canonical::sql(&plan_one, &terms);
        if let Ok(again) = parse(&text).and_then(|query| plan(&query, &terms, None)) {
            assert_eq!(again.computation, plan_one.computation, "{text}");
            assert_eq!(canonical::sql(&again, &terms), text);
        }
        true
    });
}

#[test]
fn policies_are_whole_or_have_faults_with_places() {
    let words = [
        "[[column]]",
        "type = \"category\"",
        "min = \"-1e18\"",
        "max = \"1e18\"",
        "step = \"1e-9\"",
        "max_rows = 4000000000",
        "values = []",
        "nullable = true",
        "per_unit = true",
        "\"\"\"",
        "= {",
        "1979-05-27",
    ];
    run("policy", &corpus(&["tests/corpus/policy"]), &words, 1, |input| {
        let text = String::from_utf8_lossy(input);
        match Policy::parse(&text) {
            Ok(policy) => {
                let terms = policy.terms;
                assert!(terms.max_rows >= u64::from(terms.max_rows_per_unit) && terms.max_rows_per_unit >= 1);
                assert!(terms.accountant.cap(terms.cap) > tacit::kernel::privacy::amounts::Price::ZERO);
                true
            }
            Err(faults) => {
                let lines = text.matches('\n').count() + 1;
                assert!(
                    !faults.is_empty()
                        && faults.iter().all(|fault| (1..=lines).contains(&fault.line) && fault.column >= 1)
                );
                false
            }
        }
    });
}

#[test]
fn amounts_read_back_or_are_none() {
    let words = ["e", "-", "+", ".", "0", "9", "e-9", "e18", "\u{661}", "_", " ", "NaN"];
    run("amount", &corpus(&["tests/corpus/amount"]), &words, 1, |input| {
        let text = String::from_utf8_lossy(input);
        let text = text.trim_end_matches('\n');
        let margin = Margin::parse(text);
        assert!(margin.is_err() || margin.is_ok_and(|margin| margin.width() > 0.0 && margin.width().is_finite()));
        if let Ok(delta) = Delta::parse(text) {
            assert!(delta.to_f64() > 0.0 && delta.to_f64() <= 0.01);
        }
        let Ok(epsilon) = Epsilon::parse(text) else { return false };
        assert!(epsilon.to_f64() > 0.0 && epsilon.to_f64() <= 100.0);
        assert_eq!(Epsilon::parse(&epsilon.to_string()), Ok(epsilon));
        true
    });
}

/// Bodies of requests for quotes lead to an answer or a 4xx, and never to a library's own error text.
#[test]
fn bodies_are_answered_or_refused() {
    let lab = Lab::exact();
    let words = ["\"sql\"", "\"epsilon\"", "\"margin\"", "{", "}", "[", "]", "\\ud800", "null", "1e400", ":", ","];
    run("body", &corpus(&["tests/corpus/body"]), &words, 4, |input| {
        let body = String::from_utf8_lossy(input).into_owned();
        let reply = block_on(call(&lab.router, Method::POST, "/v1/quotes", Some(&lab.researcher), &[], body));
        assert!(!reply.status.is_server_error(), "{}", String::from_utf8_lossy(&reply.bytes));
        reply.status.is_success()
    });
}

/// Changed bytes in a ledger, its key or its anchor: whatever still verifies has the same content as the original.
#[test]
fn ledgers_are_whole_or_found_out() {
    let lab = Lab::gaussian();
    block_on(async {
        for region in ["north", "east"] {
            lab.sql(&format!("SELECT COUNT(*) FROM visits WHERE region = '{region}'"), "0.1").await.rows();
        }
    });
    let Lab { dir, service, router, .. } = lab;
    drop((service, router));
    let state = dir.path().join("state");
    let head =
        |state: &Path| verify(state, None, &mut Replanner::default()).ok().and_then(Result::ok).map(|whole| whole.head);
    let whole = head(&state).expect("it is whole");
    for file in ["ledger.db", "ledger.key", "anchor.log"] {
        let bytes = fs::read(state.join(file)).expect("a file");
        run(file, std::slice::from_ref(&bytes), &["\u{0}\u{0}\u{0}\u{0}"], 8, |input| {
            let copy = tempfile::tempdir().expect("a folder");
            for name in ["ledger.db", "ledger.key", "anchor.log"] {
                fs::copy(state.join(name), copy.path().join(name)).expect("a copy");
            }
            fs::write(copy.path().join(file), input).expect("a file");
            let found = head(copy.path());
            assert!(found.is_none_or(|found| found == whole), "{file}: another ledger passes for whole");
            found.is_some()
        });
    }
}

/// Changed bytes in a sealed table: its digest detects every change, and if somebody got past the digest, the engine would still not crash.
#[test]
fn sealed_tables_are_what_was_sealed() {
    let lab = Lab::gaussian();
    let state = lab.dir.path().join("state");
    let mark = tacit::kernel::budget::ledger::read(lab.service.ledger(), |book| {
        book.dataset("visits").and_then(|whole| whole.edition.clone()).expect("an edition")
    });
    let manifest = Manifest::open(&state, &mark.id, &mark.commitment).expect("an edition");
    let path = manifest.table_path(&state);
    let bytes = fs::read(&path).expect("a table");
    let computation = plan(
        &parse("SELECT region, COUNT(*), SUM(cost) AS s FROM visits GROUP BY region").expect("SQL"),
        &manifest.terms,
        None,
    );
    let computation = computation.expect("a plan").computation;
    run("table", std::slice::from_ref(&bytes), &["\u{0}\u{0}\u{0}\u{0}", "\u{1}"], 2, |input| {
        fs::write(&path, input).expect("a table");
        let opened = Manifest::open_whole(&state, &mark.id, &mark.commitment);
        assert_eq!(opened.is_ok(), input == bytes);
        let mut engine = PolarsEngine::new();
        if engine.load(&state, &manifest).is_ok() {
            let _ = engine.evaluate(&mark.id, &computation);
        }
        opened.is_ok()
    });
}
