//! What people and programs read, held against files: problem bodies, pages, help texts, tables of the terminal, the OpenAPI document.
//!
//! A changed word fails here. Where the change is meant, accept it and look at the difference before it is committed:
//!
//!     INSTA_UPDATE=always cargo test --test it snapshots
//!     git diff tests/it/snapshots
//!
//! What differs from run to run is replaced by its name in angle brackets, and only after it was looked at: a token that is none fails.

mod help;
mod openapi;
mod pages;
mod problems;
mod tables;

use std::collections::BTreeSet;
use std::path::Path;

/// Holds a text against the file of this name in `tests/it/snapshots/files`.
fn held(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots/files");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The files whose names begin so have to be these: one that nothing is held against any more is to be removed.
fn no_others(beginning: &str, names: &BTreeSet<String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/snapshots/files");
    let files = std::fs::read_dir(folder).expect("the files").map(|entry| entry.expect("a file").file_name());
    let files = files.filter_map(|name| Some(name.to_str()?.strip_suffix(".snap")?.to_owned()));
    assert_eq!(&files.filter(|name| name.starts_with(beginning)).collect::<BTreeSet<_>>(), names);
}

/// Replaces whatever stands between `before` and the next `after` by `<name>`, each time; it has to be what `is` says.
fn redacted(text: &str, (before, after): (&str, char), name: &str, is: impl Fn(&str) -> bool) -> String {
    let mut parts = text.split(before);
    let mut redacted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (hidden, rest) = part.split_once(after).unwrap_or_else(|| panic!("{before} has no end"));
        assert!(is(hidden), "{before}{hidden} is no {name}");
        redacted.push_str(&format!("{before}<{name}>{after}{rest}"));
    }
    redacted
}

/// Whether it is so many hexadecimal digits.
fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[test]
#[should_panic(expected = "is no token")]
fn what_is_hidden_is_looked_at() {
    let is_token = |text: &str| is_hex(text, 4);
    assert_eq!(redacted("a=12ab;b", ("a=", ';'), "token", is_token), "a=<token>;b");
    redacted("a=everything;b", ("a=", ';'), "token", is_token);
}
