//! The examples of the manual that are files: policies, configurations, statistics. Each is read by the program, and whatever else is
//! fenced is named here.

use std::path::Path;

use tacit::config::Config;
use tacit::query::file::QueryFile;
use tacit::query::terms::policy::Policy;
use toml::{Table, Value};

use crate::readme::{Block, blocks};
use crate::support::repository_file;

fn table(text: &str) -> Table {
    text.parse().unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The policy of the demo's clinic with what an example says; its columns are the example's, where that has any.
fn policy(example: &Block) -> String {
    let (mut whole, said) = (table(&repository_file("src/demo/visits.toml")), table(&example.text));
    for (key, value) in said {
        match (whole.get_mut(&key), value) {
            (Some(Value::Table(known)), Value::Table(said)) => known.extend(said),
            (_, value) => {
                whole.insert(key, value);
            }
        }
    }
    toml::to_string(&whole).expect("TOML")
}

/// An example of a configuration with the keys that every configuration needs.
fn config(example: &Block) -> String {
    let mut whole = table("state_dir = \"state\"\npolicies = [\"visits.toml\"]");
    whole.extend(table(&example.text));
    toml::to_string(&whole).expect("TOML")
}

/// The file that a block is, which its first line says.
fn file_of(block: &Block) -> &str {
    let first = block.text.lines().next().unwrap_or_default();
    first.strip_prefix("# ").unwrap_or_else(|| panic!("{}: say which file this is: {}", block.file, block.text))
}

#[test]
fn every_file_that_is_shown_is_taken() {
    let dir = tempfile::tempdir().expect("a folder");
    let written = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    };
    let mut taken = [0; 6];
    for block in blocks().iter().filter(|block| block.language == "toml") {
        let (place, shown) = (format!("{}, under {}", block.file, block.heading), &block.text);
        match file_of(block) {
            "visits.toml" => {
                let loaded = Policy::load(&written("visits.toml", &policy(block)));
                assert!(loaded.is_ok(), "{place}: {:?} {shown}", loaded.err());
                taken[0] += 1;
            }
            "tacit.toml" => {
                let loaded = Config::load(&written("tacit.toml", &config(block)));
                assert!(loaded.is_ok(), "{place}: {:?} {shown}", loaded.err());
                taken[1] += 1;
            }
            "clinic.toml" => {
                written("icd.csv", "code,label,chapter\nA00,Cholera,1\nA01,Typhoid,1\n");
                let loaded = Policy::load(&written("clinic.toml", &block.text));
                assert!(loaded.is_ok(), "{place}: {:?} {shown}", loaded.err());
                taken[4] += 1;
            }
            "dashboards/clinic.toml" => {
                let shown = table(&block.text);
                let named = shown["statistics"].as_array().expect("a list");
                for name in named.iter().map(|name| name.as_str().expect("a name")) {
                    assert!(repository_file(&format!("queries/{name}.sql")).contains("SELECT"), "{place}: {name}");
                }
                taken[5] += 1;
            }
            // The walk through the commands plans and applies it.
            "access/people.toml" => taken[2] += 1,
            other => panic!("{place}: {other} is no file that is known here"),
        }
    }
    for block in blocks().iter().filter(|block| block.language == "sql" && block.file == "publishing.md") {
        let file = QueryFile::parse(&block.text).unwrap_or_else(|fault| panic!("{fault}: {}", block.text));
        let sql = tacit::query::parse::parse(&file.sql).expect("SQL");
        let clinic =
            Policy::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/visits.toml")).expect("a policy");
        tacit::query::plan::plan(&sql, &clinic.terms, None).expect("a plan");
        taken[3] += 1;
    }
    assert!(taken[0] >= 6 && taken[1] >= 4 && taken[2..] == [1, 1, 1, 1], "{taken:?}");
}

/// A check that takes anything would hold nothing.
#[test]
fn examples_that_are_wrong_are_noticed() {
    let dir = tempfile::tempdir().expect("a folder");
    let block = |text: &str| Block {
        file: String::new(),
        heading: String::new(),
        language: "toml".to_owned(),
        text: text.to_owned(),
    };
    let path = dir.path().join("file.toml");
    std::fs::write(&path, policy(&block("[dataset]\nmax_row = 8"))).expect("a file");
    assert!(Policy::load(&path).is_err());
    std::fs::write(&path, config(&block("[statistics]\nzone = \"UTC\""))).expect("a file");
    assert!(Config::load(&path).is_err());
}

/// What a block is decides which test reads it, so its language is one that a test knows.
#[test]
fn every_block_is_of_a_language_that_is_checked() {
    for block in blocks() {
        let is_known = match block.language.as_str() {
            // Read above, run in `readme.rs`, or planned there.
            "sh" | "toml" => true,
            "sql" => ["asking.md", "publishing.md"].contains(&block.file.as_str()),
            "json" | "python" => block.file == "clients.md",
            // A unit and an image, which nothing here can run.
            "ini" | "dockerfile" => block.file == "operating.md",
            _ => false,
        };
        assert!(is_known, "{}, under {}: nothing checks {:?}", block.file, block.heading, block.language);
    }
}
