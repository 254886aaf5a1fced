//! What is a person's own: for whom quotes and budgets are, and what a SELECT sets.

use std::sync::Arc;

use tacit::kernel::budget::people::Role;
use tacit::pgwire::free::FreeTables;

use super::{lab, person, rows, tables, try_run};
use crate::support::block_on;

#[test]
fn quotes_are_for_researchers_and_budgets_for_no_viewer() {
    let lab = lab();
    block_on(async { assert_eq!(lab.sql("SELECT COUNT(*) AS n FROM visits", "0.1").await.status, 200) });
    for (name, role) in [("ada", Role::Viewer), ("vic", Role::Viewer), ("sam", Role::Steward)] {
        let tables = FreeTables::new(Arc::clone(&lab.service), person(name, role), "tacit");
        for sql in [
            "SELECT * FROM tacit.quote('SELECT COUNT(*) AS n FROM visits', '0.1')",
            "SELECT tacit.quote('SELECT COUNT(*) AS n FROM visits', '0.1')",
        ] {
            let error = try_run(&tables, sql).expect_err(sql);
            assert_eq!(error.sqlstate, "42501", "{error:?}");
            assert!(error.message.contains(&format!("your role is {role}")), "{error:?}");
        }
        if role == Role::Viewer {
            for view in ["budget", "history"] {
                assert_eq!(rows(&tables, &format!("SELECT dataset FROM tacit.{view}")), Vec::<String>::new(), "{name}");
            }
        }
    }
    assert_eq!(rows(&tables(&lab, "tacit"), "SELECT dataset FROM tacit.history"), ["visits"]);
}

#[test]
fn a_select_does_not_say_that_it_set_what_it_did_not() {
    let lab = lab();
    let tables = tables(&lab, "tacit");
    assert_eq!(rows(&tables, "SELECT set_config('bytea_output', 'hex', false)"), ["hex"]);
    let error = try_run(&tables, "SELECT set_config('Tacit.spend_limit', '0.1', false)").expect_err("refused");
    assert_eq!((error.sqlstate, error.hint.as_deref()), ("0A000", Some("SET tacit.epsilon = '0.1'")));
}
