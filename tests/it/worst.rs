//! The worst queries that the limits allow: each is planned, or refused with its code, and none takes long.
//!
//! The queries are in [`table`], so that the benches can use them, too, to measure what a server does meanwhile.

mod table;

use std::sync::Arc;

use tacit::kernel::vault::noise::OpenDp;
use tacit::query::canonical;
use tacit::query::error::{Code, QueryError};
use tacit::query::parse::parse;
use tacit::query::plan::{plan, replan};
use tacit::query::term::context::STEPS_MAX;
use tacit::query::terms::policy::Policy;

use crate::support::{GAUSSIAN, Lab, block_on};

pub use table::{csv, policy};
use table::{questions, texts};

/// Plans a query and returns its canonical text, or the reason why it is refused.
fn planned(sql: &str, policy: &Policy) -> Result<String, QueryError> {
    let plan = parse(sql).and_then(|query| plan(&query, &policy.terms, None))?;
    Ok(canonical::sql(&plan, &policy.terms))
}

#[test]
fn the_worst_questions_are_planned_or_refused() {
    let policy = Policy::parse(&policy(GAUSSIAN)).expect("a policy");
    let (mut good, all) = (0, questions());
    for sql in &all {
        match planned(sql, &policy) {
            Ok(text) => {
                good += 1;
                // The canonical text is the same query, or it is too long to be asked.
                match planned(&text, &policy) {
                    Ok(again) => assert_eq!(again, text, "{sql}"),
                    Err(error) => assert_eq!(error.code, Code::UnsupportedSql, "{error}: {sql}: {text}"),
                }
            }
            Err(error) => {
                assert!(!error.message.is_empty() && error.message.len() < 2_000, "{}", error.message);
                assert!(error.hint.is_none_or(|hint| hint.len() < 20_000), "{sql}");
            }
        }
    }
    assert!(good * 2 > all.len(), "{good} of {} are planned", all.len());
}

#[test]
fn their_dataset_can_be_asked() {
    let lab = Lab::new(&policy(GAUSSIAN), &csv(), Arc::new(OpenDp), "4");
    let reply = block_on(lab.sql("SELECT COUNT(*) AS n FROM visits WHERE code IN ('v0003', 'v0004')", "0.5"));
    assert_eq!(reply.rows().len(), 1);
}

/// A query that takes too many steps to plan is refused early. A query in a ledger was planned once, so it can be planned again.
#[test]
fn steps_of_planning_are_bounded() {
    let policy = Policy::parse(&policy(GAUSSIAN)).expect("a policy");
    let query = parse(&texts::too_long()).expect("SQL");
    let error = plan(&query, &policy.terms, None).expect_err("too many steps");
    assert_eq!(error.code, Code::UnsupportedSql);
    assert!(error.message.contains(&format!("more than {STEPS_MAX} steps")), "{error}");
    assert!(replan(&query, &policy.terms, 4, |_| true).is_ok());
}
