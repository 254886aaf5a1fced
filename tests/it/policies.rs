//! Faults of policies and configurations, each with its place.

use tacit::query::terms::policy::Policy;

use crate::support::{GAUSSIAN, PURE, policy};

/// Replaces `from` by `to` in a good policy and looks for one fault at `line` that says `words`.
fn check(from: &str, to: &str, words: &[&str]) {
    let good = policy(GAUSSIAN);
    assert!(good.contains(from), "{from}");
    let bad = good.replacen(from, to, 1);
    let line = good[..good.find(from).expect("it is there")].matches('\n').count() + 1;
    let faults = Policy::parse(&bad).expect_err(to);
    let said: Vec<_> = faults.iter().map(ToString::to_string).collect();
    for word in words {
        assert!(said.iter().any(|fault| fault.contains(word)), "{to}: no \"{word}\" in {said:#?}");
    }
    assert!(faults.iter().any(|fault| fault.line.abs_diff(line) <= 6), "{to}: near line {line} in {said:#?}");
}

#[test]
fn good_policies_are_taken() {
    assert_eq!(Policy::parse(&policy(GAUSSIAN)).expect("good").terms.columns.len(), 6);
    assert!(Policy::parse(&policy(PURE)).is_ok());
}

#[test]
fn every_fault_is_named_with_its_place() {
    for (from, to, words) in [
        ("name = \"visits\"", "name = \"Visits\"", &["lower-case identifier"][..]),
        ("max_rows_per_unit = 4", "max_rows_per_unit = 0", &["max_rows_per_unit is 0; accepted is 1 to 65535"]),
        ("max_rows_per_unit = 4", "max_rows_per_unit = 4\nrows = 3", &["unknown field"]),
        ("max_rows_per_unit = 4", "", &["max_rows_per_unit is missing"]),
        ("max_rows = 1_000_000", "max_rows = 3", &["max_rows_per_unit is 4; accepted is at most max_rows, 3"]),
        ("max_rows = 1_000_000", "max_rows = -1", &["accepted is 1 to 4000000000"]),
        ("accountant = \"gaussian\"", "accountant = \"renyi\"", &["\"renyi\"", "\"gaussian\" and \"pure\""]),
        ("delta = \"1e-9\"", "delta = \"0.5\"", &["cap.delta", "1e-18 to 0.01"]),
        (", delta = \"1e-9\"", "", &["cap.delta is missing"]),
        ("accountant = \"gaussian\"", "accountant = \"pure\"", &["the pure accountant takes none"]),
        ("epsilon = \"4\"", "epsilon = \"1e-400\"", &["cap.epsilon", "finer than"]),
        ("epsilon = \"4\"", "epsilon = 4.0", &["string"]),
        ("values = [\"north\", \"east\", \"south\", \"west\"]", "values = [\"a\", \"a\"]", &["\"a\" is listed twice"]),
        (
            "values = [\"north\", \"east\", \"south\", \"west\"]",
            "values = []",
            &["0 values; a category has 1 to 10000"],
        ),
        (
            "values = [\"north\", \"east\", \"south\", \"west\"]",
            "min = \"0\"",
            &["min is not for a column of type category", "values is missing"],
        ),
        ("max = \"110\"", "max = \"-1\"", &["min is below max"]),
        ("max = \"500\"", "max = \"500.001\"", &["multiples of step"]),
        ("max = \"500\"", "max = \"1e16\"", &["less than 2^62"]),
        ("step = \"0.01\"", "step = \"0\"", &["step above 0"]),
        ("step = \"0.01\"", "step = 0.01", &["is not a decimal string"]),
        ("type = \"integer\"", "type = \"float\"", &["type \"float\" is not known"]),
        ("name = \"age\"", "name = \"cost\"", &["declared twice"]),
        ("name = \"age\"", "name = \"patient_id\"", &["is the privacy unit"]),
        ("max = 2025-12-31", "max = 2019-12-31", &["max is not after min"]),
        ("max = 2025-12-31", "max = 2025-13-31", &["expected month"]),
    ] {
        check(from, to, words);
    }
}

/// A statement of how values lie is one that values within the bounds can have.
#[test]
fn typical_values_are_possible_ones() {
    let all = "low = \"40\", middle = \"70\", high = \"140\", mean = \"115\", deviation = \"140\"";
    let with = |typical: &str| format!("name = \"cost\"\ntypical = {{ {typical} }}");
    for good in [all, "low = \"0\", middle = \"0\", high = 3", "mean = \"80.5\", deviation = \"250\""] {
        let text = policy(GAUSSIAN).replace("name = \"cost\"", &with(good));
        let stated = Policy::parse(&text).unwrap_or_else(|faults| panic!("{good}: {faults:#?}")).stated();
        assert_eq!((stated.len(), stated[0].table.as_str(), stated[0].column.as_str()), (1, "visits", "cost"));
    }
    for (typical, words) in [
        ("low = \"40\", high = \"140\"", "low, middle and high go together"),
        ("mean = \"40\"", "mean and deviation go together"),
        ("missing = \"0\"", "says nothing of the values"),
        ("low = \"40\", middle = \"30\", high = \"140\"", "is not in order"),
        ("low = \"-1\", middle = \"30\", high = \"140\"", "typical has -1; accepted is 0 to 500"),
        ("mean = \"501\", deviation = \"9\"", "typical.mean is 501; accepted is 0 to 500"),
        ("mean = \"90\", deviation = \"0\"", "typical.deviation is 0; accepted is above 0 to 250"),
        ("mean = \"90\", deviation = \"251\"", "typical.deviation is 251"),
        ("mean = \"90\", deviation = \"9\", missing = \"0.2\"", "is for a nullable column"),
        ("mean = \"90\", deviation = \"9\", missing = \"1\"", "accepted is a part from 0 to below 1"),
        ("mean = \"ninety\", deviation = \"9\"", "typical.mean"),
        ("median = \"90\"", "unknown field"),
    ] {
        check("name = \"cost\"", &with(typical), &[words]);
    }
    check(
        "name = \"region\"",
        "name = \"region\"\ntypical = { mean = 1, deviation = 1 }",
        &["of type decimal or integer"],
    );
}

#[test]
fn several_faults_are_told_at_once() {
    let bad = policy(GAUSSIAN)
        .replace("name = \"age\"", "name = \"Age\"")
        .replace("\"1e-9\"", "\"9\"")
        .replace("type = \"boolean\"", "type = \"bool\"");
    let faults = Policy::parse(&bad).expect_err("three faults");
    assert_eq!(faults.len(), 3, "{faults:#?}");
    let said: Vec<_> = faults.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    line 10, column 32: cap.delta: "9" is out of range; accepted is 1e-18 to 0.01
    line 24, column 8: type "bool" is not known; accepted are category, decimal, integer, boolean, date and text
    line 27, column 8: column name "Age" is not a lower-case identifier
    "#);
}

#[test]
fn configurations_are_checked() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("tacit.toml");
    for (text, words) in [
        ("state_dir = \"s\"\npolicies = []\nport = 3", "line 3, column 1: unknown field `port`"),
        ("state_dir = \"s\"\npolicies = []\nlisten = \"here\"", "line 3, column 10: listen \"here\""),
        ("state_dir = \"s\"", "policies"),
        ("state_dir = \"s\"\npolicies = []\n[tls]\nkey = \"k\"", "line 3, column 1: missing field `certificate`"),
        ("state_dir = \"s\"\npolicies = []\n[limits]\nrows = 1", "line 3, column 2: unknown field `limits`"),
    ] {
        std::fs::write(&path, text).expect("a file");
        let said = tacit::config::Config::load(&path).expect_err(text).to_string();
        assert!(said.contains(words), "{said}");
    }
}
