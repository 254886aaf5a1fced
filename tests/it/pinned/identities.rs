//! The identities of questions and of their measurements: what is paid for under one is found under it for as long as the ledger lives.

use std::fs;
use std::path::Path;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tacit::query::parse::parse;
use tacit::query::plan::plan_by;
use tacit::query::term::context::KeyRule;
use tacit::query::terms::policy::Terms;

use super::V1;
use super::questions::SECOND;
use super::scene::{DATASETS, policy};
use crate::grammar::sound;

/// An edition's id, which is part of every identity.
const EDITION: &str = "ed_pinned";
/// Questions at random of each dataset.
const RANDOM: usize = 70;

/// The dataset's terms for a question: a table that it can be joined with is a dataset, too.
fn terms(dataset: &str) -> Terms {
    if dataset != "patients" {
        return policy(dataset).terms;
    }
    let terms = policy("visits").terms;
    terms.of_table(&terms.joins[0])
}

/// The identity of a question, and one digest of those of its measurements; `None` where it cannot be planned.
fn identities(sql: &str) -> Option<(String, String)> {
    identities_by(sql, KeyRule::Values)
}

fn identities_by(sql: &str, rule: KeyRule) -> Option<(String, String)> {
    let query = parse(sql).ok()?;
    let planned = plan_by(&query, &terms(&query.dataset.text), None, rule).ok()?;
    let mut hasher = blake3::Hasher::new();
    for view in planned.computation.views(&planned.dataset, EDITION) {
        hasher.update(&view);
    }
    Some((hex::encode(planned.view(EDITION)), hasher.finalize().to_hex().to_string()))
}

/// Writes the identities of the pinned questions and of questions at random into `folder/identities.jsonl`.
pub fn write(folder: &Path) {
    let mut rng = StdRng::seed_from_u64(14);
    let mut questions: Vec<String> = SECOND.iter().map(|one| one.sql.to_owned()).collect();
    for name in DATASETS {
        let terms = terms(name);
        let random = std::iter::repeat_with(|| sound(&mut rng, name, &terms));
        questions.extend(random.filter(|sql| sql.len() < 500 && identities(sql).is_some()).take(RANDOM));
    }
    let line = |sql: &String| {
        let (question, measurements) = identities(sql).unwrap_or_else(|| panic!("{sql}"));
        format!("{}\n", json!({"question": question, "measurements": measurements, "sql": sql}))
    };
    fs::write(folder.join("identities.jsonl"), questions.iter().map(line).collect::<String>()).expect("a file");
}

#[test]
fn identities_are_those_that_were_paid_for() {
    let lines = V1.lines("identities.jsonl");
    assert!(lines.len() > 250, "{}", lines.len());
    for line in lines {
        let sql = line["sql"].as_str().expect("a question");
        // Keys had all integers between their bounds for groups; the ledger's questions are planned so again.
        let (question, measurements) = [KeyRule::Values, KeyRule::Bounds]
            .into_iter()
            .filter_map(|rule| identities_by(sql, rule))
            .find(|(question, _)| line["question"] == question.as_str())
            .unwrap_or_else(|| panic!("{sql}"));
        assert_eq!(
            (&Value::from(question), &Value::from(measurements)),
            (&line["question"], &line["measurements"]),
            "{sql}"
        );
    }
}
