//! What is on disk stays readable: a committed state directory is opened, verified, replayed and continued by every build.
//!
//! Each folder `tests/data/state-v…` was written by the program of its time, and its bytes never change. `README.md` in the first one says
//! what it holds and how such a folder is written anew, under another name, by a later program.

mod bytes;
mod encodings;
mod identities;
mod questions;
mod record;
mod scene;
mod write;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tacit::kernel::budget::entry::Act;
use tacit::kernel::budget::ledger::read;
use tacit::ledger::replan::Replanner;
use tacit::ledger::{SqliteLedger, Verified, verify};
use tacit::service::publishing::editions;
use tempfile::TempDir;

use self::questions::Question;
use self::scene::{DAY_MS, policy};
pub use self::scene::{END_MS, Scene, SetClock};
use crate::support::block_on;

/// A committed state directory with the tokens of its people and its recorded answers.
struct PinnedState {
    folder: &'static str,
    /// Entries and stored answers of its ledger, and the hash of the last entry.
    entries: u64,
    releases: u64,
    head: &'static str,
    /// The kinds of acts that the program of its time did not know.
    later: &'static [&'static str],
}

/// Written when stored answers were JSON and the outbox was a folder.
const V1: PinnedState = PinnedState {
    folder: "tests/data/state-v1",
    entries: 189,
    releases: 68,
    head: "946c5ee6cee6cad29ae4ee25cee8b27e84b82ca341e8f626bd448dd918b5fb64",
    later: &[
        "request-granted",
        "charged-by-path",
        "served-by-path",
        "token-issued",
        "named-token-revoked",
        VERIFIED,
        "role-set",
    ],
};

/// Written when stored answers were Borsh, the outbox was in the ledger's file, and a request was granted in one entry.
const V2: PinnedState = PinnedState {
    folder: "tests/data/state-v2",
    entries: 188,
    releases: 68,
    head: "818a07b0e920bc7c08ce64110728cd8f7197cfd16bc3d1cdf9af52f328ff3d00",
    later: SINCE_V3,
};

/// Written when sealed tables were blocks that workers map.
const V3: PinnedState = PinnedState {
    folder: "tests/data/state-v3",
    entries: 188,
    releases: 68,
    head: "029f755b61db722ec60e5571cf1839057abbf858446fc3c5a6cafcdebb76789e",
    later: SINCE_V3,
};

/// Written when answers with Gaussian noise were charged by noise paths.
const V4: PinnedState = PinnedState {
    folder: "tests/data/state-v4",
    entries: 195,
    releases: 72,
    head: "ed2c398841ef40647dc685a51665372a9ea68874afcb5a9ba25cd2094efbf941",
    later: &["token-issued", "named-token-revoked", VERIFIED, "role-set"],
};

/// Answers were paid for draw by draw, and tokens had no names.
const SINCE_V3: &[&str] =
    &["charged-by-path", "served-by-path", "token-issued", "named-token-revoked", VERIFIED, "role-set"];

/// Tokens had no verifiers.
const VERIFIED: &str = "token-issued-with-verifier";

const ALL: [PinnedState; 4] = [V1, V2, V3, V4];

/// The folder of the repository that holds the policies and sources, relative to the working directory of tests: no absolute path gets into
/// the reports of sealings.
const POLICIES: &str = "tests/data/state-v1/policies";

/// Copies the committed state into a temporary folder, with the modes that Git does not keep.
fn copied(from: &Path) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    copy(&from.join("state"), &dir.path().join("state"));
    dir
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder");
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).expect("a mode");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a copy");
            fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).expect("a mode");
        }
    }
}

impl PinnedState {
    fn path(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(self.folder)
    }

    /// The committed state, opened from a copy.
    fn opened(&self, at_ms: u64) -> (TempDir, Scene) {
        let dir = copied(&self.path());
        let tokens = serde_json::from_str(&self.text("tokens.json")).expect("tokens");
        let scene = Scene::open(&dir.path().join("state"), &SetClock::at(at_ms), tokens);
        (dir, scene)
    }

    /// Text of a committed file.
    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The lines of a committed file, each a JSON value.
    fn lines(&self, name: &str) -> Vec<Value> {
        self.text(name).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

/// The first committed state, opened from a copy.
pub fn opened(at_ms: u64) -> (TempDir, Scene) {
    V1.opened(at_ms)
}

/// Verifies a state directory at rest, with every charge planned and priced anew.
fn verified(state: &Path) -> Verified {
    match verify(state, None, &mut Replanner::default()) {
        Ok(Ok(verified)) => verified,
        found => panic!("{found:?}"),
    }
}

#[test]
fn pinned_ledgers_are_whole() {
    for pinned in ALL {
        let dir = copied(&pinned.path());
        let found = verified(&dir.path().join("state"));
        let (entries, releases, anchor_seq) = (pinned.entries, pinned.releases, pinned.entries - 1);
        assert_eq!((found.entries, found.releases, found.anchor_seq), (entries, releases, anchor_seq));
        assert_eq!((hex::encode(found.head), found.is_copy), (pinned.head.to_owned(), false));
    }
}

/// Each pinned ledger has every kind of act that the program of its time knew. A kind that is added later is listed as such for each state,
/// until a state that holds one is pinned, too.
#[test]
fn every_kind_of_act_is_pinned() {
    for pinned in ALL {
        let (_dir, scene) = pinned.opened(END_MS);
        let entries = scene.service.ledger().entries(0, pinned.entries as usize).expect("entries");
        let found: BTreeSet<&str> = entries.iter().map(|entry| entry.act.kind()).collect();
        assert_eq!(found, Act::KINDS.iter().copied().filter(|kind| !pinned.later.contains(kind)).collect());
    }
}

/// A question whose groups were once all integers between 1 and 3: today it has those that its key can have, and what was stored is derived
/// from for nothing.
const NARROWED: &str =
    "SELECT CASE WHEN age < 30 THEN 1 WHEN age > 60 THEN 3 END AS kind, COUNT(*) AS n FROM visits GROUP BY 1";

/// What was paid for comes again: the same answer to the same question, to the byte, and free.
#[test]
fn every_stored_answer_is_replayed_to_the_byte() {
    for pinned in ALL {
        let (dir, scene) = pinned.opened(END_MS);
        // The answer that was cut off is burnt by opening.
        let head = read(scene.service.ledger(), |book| book.head());
        assert_eq!(head.0, pinned.entries + 1);
        let recorded = pinned.lines("answers.jsonl");
        assert!(recorded.len() > 60, "{}", recorded.len());
        for line in recorded {
            if line["asked"]["sql"] == NARROWED {
                continue;
            }
            let found = block_on(record::again(&scene, &line));
            for (name, wanted) in line["answer"].as_object().expect("an object") {
                let found = as_of_old(found[name].clone());
                assert_eq!(found.to_string(), wanted.to_string(), "{name} of {}\n{found}", line["asked"]);
            }
        }
        assert_eq!(read(scene.service.ledger(), |book| book.head()), head, "nothing was written");
        drop(scene);
        assert_eq!(verified(&dir.path().join("state")).entries, pinned.entries + 1);
    }
}

/// A part of an answer without what was added on 2026-11-30: the words of rows that say what is a total, and the shares of prices and
/// accounts. Everything else is as it was, to the byte.
fn as_of_old(mut part: Value) -> Value {
    for row in part.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        row.retain(|name, value| !(name.ends_with("_null") && value == "total"));
    }
    if let Some(price_or_account) = part.as_object_mut() {
        price_or_account
            .retain(|name, _| !["fraction", "fraction_remaining", "like_this_remaining"].contains(&name.as_str()));
    }
    part
}

fn ask<'a>(sql: &'a str, how: &'a str) -> Question<'a> {
    Question { who: "ada", sql, how, key: None }
}

/// What follows from a stored answer is free, and more precision costs the difference.
#[test]
fn stored_answers_are_derived_from_and_topped_up() {
    for pinned in ALL {
        let (dir, scene) = pinned.opened(END_MS);
        let answered = |sql, how| block_on(scene.answered(&ask(sql, how)));
        let derived =
            answered("SELECT COUNT(*) AS n FROM visits WHERE region = 'north' AND smoker", r#""epsilon":"0.2""#);
        assert_eq!(
            (&derived["legs"]["dataset"], &derived["price"]["epsilon"]),
            (&json!("0"), &json!("0")),
            "{derived}"
        );
        let narrowed = answered(NARROWED, r#""epsilon":"0.3""#);
        assert_eq!((&narrowed["legs"]["dataset"], &narrowed["price"]["epsilon"]), (&json!("0"), &json!("0")));
        assert_eq!(narrowed["rows"].as_array().map(Vec::len), Some(3), "{narrowed}");
        let known = answered("SELECT region, COUNT(*) AS n FROM visits GROUP BY region", r#""epsilon":"0.5""#);
        let finer = answered("SELECT region, COUNT(*) AS n FROM visits GROUP BY region", r#""epsilon":"1""#);
        assert_eq!((&known["replayed"], &finer["replayed"]), (&json!(true), &json!(false)));
        let sources = finer["derived_from"].as_array().expect("sources");
        assert!(sources.contains(&known["release"]), "{finer}");
        let whole =
            answered("SELECT region, COUNT(*) AS n FROM visits WHERE cost > 3 GROUP BY region", r#""epsilon":"1""#);
        assert!(whole.get("derived_from").is_none(), "{whole}");
        let (new, cheaper) = (&whole["legs"]["dataset"], &finer["legs"]["dataset"]);
        let epsilon = |value: &Value| value.as_str().expect("an epsilon").parse::<f64>().expect("a number");
        assert!(epsilon(cheaper) < epsilon(new), "{cheaper} {new}");
        drop(scene);
        verified(&dir.path().join("state"));
    }
}

/// Everything goes on: a new edition is sealed, charged for, and verified with what came before.
#[test]
fn pinned_states_are_sealed_and_charged_further() {
    for pinned in ALL {
        let (dir, scene) = pinned.opened(END_MS);
        let (state, tokens) = (dir.path().join("state"), scene.tokens.clone());
        let sql = "SELECT COUNT(*) AS n FROM visits";
        let before = block_on(scene.answered(&ask(sql, r#""epsilon":"0.3""#)));
        drop(scene);
        let ledger = SqliteLedger::open(&state, END_MS).unwrap_or_else(|error| panic!("{error}"));
        let policy = policy("visits");
        let published = editions::seal_and_publish(&ledger, &policy, &state, &|_| {}, &*SetClock::at(END_MS));
        published.unwrap_or_else(|error| panic!("{error}"));
        drop(ledger);
        let scene = Scene::open(&state, &SetClock::at(END_MS + DAY_MS), tokens);
        let after = block_on(scene.answered(&ask(sql, r#""epsilon":"0.3""#)));
        assert_eq!((&before["replayed"], &after["replayed"]), (&json!(true), &json!(false)));
        assert_ne!(before["edition"], after["edition"]);
        drop(scene);
        verified(&state);
    }
}

/// A statistic whose question did not change is agreed to as it was, and is not drawn again.
#[test]
fn pinned_statistics_stay_confirmed() {
    for pinned in ALL {
        let (_dir, scene) = pinned.opened(END_MS);
        let listed = block_on(scene.get("sam", "/v1/statistics")).json();
        let standing: Vec<&Value> = listed.as_array().expect("a list").iter().map(|one| &one["standing"]).collect();
        assert_eq!(standing, [&json!("confirmed"); 3], "{listed}");
        assert!(block_on(scene.service.refresh_due()).is_empty());
    }
}
