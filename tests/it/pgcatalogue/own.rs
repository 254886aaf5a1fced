//! What is a person's own, and what a SELECT sets.

use super::{lab, rows, tables, try_run};

#[test]
fn a_select_does_not_say_that_it_set_what_it_did_not() {
    let lab = lab();
    let tables = tables(&lab, "tacit");
    assert_eq!(rows(&tables, "SELECT set_config('bytea_output', 'hex', false)"), ["hex"]);
    let error = try_run(&tables, "SELECT set_config('Tacit.spend_limit', '0.1', false)").expect_err("refused");
    assert_eq!((error.sqlstate, error.hint.as_deref()), ("0A000", Some("SET tacit.epsilon = '0.1'")));
}
