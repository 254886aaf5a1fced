//! The bytes of what lies in a state directory: entries, manifests, reports, anchor lines and deliveries.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tacit::cli::notify::{CURSOR, Notifier};
use tacit::kernel::budget::entry::Entry;
use tacit::ledger::outbox::{OUTBOX, Outbox};
use tacit::query::terms::edition::Manifest;
use tacit::service::watch::Watch;

use super::scene::{END_MS, SetClock};
use super::{copied, lines, opened, pinned};

/// One entry of each kind of act, the largest of those that are not too large, by its kind.
fn samples(entries: &[Entry]) -> BTreeMap<&'static str, &Entry> {
    const BYTES_MAX: usize = 1_500;
    let mut samples = BTreeMap::new();
    for entry in entries {
        let size = |entry: &Entry| entry.canonical_bytes().len();
        let known = samples.entry(entry.act.kind()).or_insert(entry);
        if size(entry) <= BYTES_MAX && size(entry) > size(known) {
            *known = entry;
        }
    }
    samples
}

/// Writes one entry of each kind into `folder/entries.jsonl`: its bytes, and the JSON that people see of it.
pub fn write(folder: &Path, entries: &[Entry]) {
    let line = |entry: &Entry| {
        let bytes = hex::encode(entry.canonical_bytes());
        format!("{}\n", json!({"kind": entry.act.kind(), "bytes": bytes, "json": entry}))
    };
    let lines: String = samples(entries).into_values().map(line).collect();
    fs::write(folder.join("entries.jsonl"), lines).expect("a file");
}

#[test]
fn entries_have_the_bytes_that_they_had() {
    let lines = lines("entries.jsonl");
    assert_eq!(lines.len(), 23);
    for line in lines {
        let bytes = hex::decode(line["bytes"].as_str().expect("hexadecimal")).expect("bytes");
        let entry = Entry::read(&bytes).unwrap_or_else(|| panic!("{} is not read", line["kind"]));
        assert_eq!((json!(entry.act.kind()), entry.canonical_bytes()), (line["kind"].clone(), bytes));
        assert_eq!(json!(entry).to_string(), line["json"].to_string());
    }
}

/// A manifest is written as it was: its commitment in the ledger is a digest of its JSON.
#[test]
fn manifests_are_written_as_they_were() {
    let (dir, scene) = opened(END_MS);
    let editions = pinned().join("state/editions");
    let mut seen = 0;
    for entry in fs::read_dir(&editions).expect("editions") {
        let (name, to) = (entry.expect("an edition").file_name(), dir.path().join("written"));
        let bytes = fs::read(editions.join(&name).join("manifest.json")).expect("a manifest");
        let manifest: Manifest = serde_json::from_slice(&bytes).expect("a manifest");
        fs::create_dir(&to).expect("a folder");
        manifest.write(&to).expect("written");
        assert_eq!(fs::read(to.join("manifest.json")).expect("a manifest"), bytes, "{name:?}");
        fs::remove_dir_all(to).expect("removed");
        seen += 1;
    }
    assert_eq!(seen, 5);
    let report = scene.service.dataset("visits").and_then(|dataset| dataset.report.clone()).expect("a report");
    let edition = &scene.service.dataset("visits").expect("a dataset").edition;
    let text = fs::read_to_string(editions.join(edition).join("report.json")).expect("a report");
    assert_eq!(serde_json::to_string(&report).expect("JSON"), text);
}

/// A line of the anchor without its signature.
fn line(text: &str) -> Value {
    serde_json::from_str(text.split('\t').next().expect("a line")).expect("JSON")
}

fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(items) => json!(items.first().map(shape)),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("truth"),
        Value::Null => Value::Null,
    }
}

/// What is written from now on has the fields of before, in their order, and is signed as before.
#[test]
fn anchor_lines_are_written_as_they_were() {
    let (dir, scene) = opened(END_MS);
    drop(scene);
    let read = |path: &Path| fs::read_to_string(path).expect("an anchor");
    let (before, after) = (read(&pinned().join("state/anchor.log")), read(&dir.path().join("state/anchor.log")));
    let new: Vec<&str> = after.strip_prefix(&before).expect("lines are added").lines().collect();
    assert!(!new.is_empty());
    let known: Vec<Value> = before.lines().map(|text| shape(&line(text))).collect();
    let seed: [u8; 32] = fs::read(pinned().join("state/ledger.key")).expect("a key").try_into().expect("a seed");
    let key = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key();
    for text in before.lines().chain(new.iter().copied()) {
        let (signed, signature) = text.split_once('\t').expect("a signature");
        let signature = hex::decode(signature).expect("hexadecimal");
        let signature = ed25519_dalek::Signature::from_slice(&signature).expect("a signature");
        let message = [b"tacit anchor line 1\0", signed.as_bytes()].concat();
        assert!(key.verify_strict(&message, &signature).is_ok(), "{text}");
    }
    for text in new {
        let shape = shape(&line(text)).to_string();
        assert!(known.iter().any(|known| known.to_string() == shape), "{shape}");
    }
}

/// A delivery that waits is found, and is written as it was.
#[test]
fn deliveries_are_written_as_they_were() {
    let dir = copied(&pinned());
    let folder = dir.path().join("state").join(OUTBOX);
    let path = folder.join("00000000000000000000.json");
    let before = fs::read_to_string(&path).expect("a delivery");
    let outbox = Outbox::open(&folder).expect("an outbox");
    let due = outbox.due(END_MS);
    let events: Vec<&str> = due.iter().map(|waiting| waiting.event.as_str()).collect();
    assert_eq!(events, ["request-filed", "refresh-skipped"]);
    outbox.failed(&due[0].id, END_MS);
    let after = fs::read_to_string(&path).expect("a delivery");
    let later = |text: &str| {
        let mut value: Value = serde_json::from_str(text).expect("JSON");
        (value["attempts"], value["next_ms"]) = (json!(2), json!(END_MS));
        value.to_string()
    };
    assert_ne!(before, after);
    assert_eq!(later(&before), later(&after));
}

/// The webhooks' notifier goes on where it was: the file that says so is read and written as it was.
#[test]
fn the_cursor_of_webhooks_is_written_as_it_was() {
    let text = fs::read_to_string(pinned().join("state").join(OUTBOX).join(CURSOR)).expect("a cursor");
    let cursor: Value = serde_json::from_str(&text).expect("JSON");
    let watch: Watch = serde_json::from_value(cursor["watch"].clone()).expect("what is watched");
    assert_eq!(serde_json::to_string(&watch).expect("JSON"), cursor["watch"].to_string());
    let (dir, scene) = opened(END_MS);
    let outbox = dir.path().join("state").join(OUTBOX);
    let (service, clock) = (Arc::clone(&scene.service), Arc::<SetClock>::clone(&scene.clock));
    let opened = Outbox::open(&outbox).expect("an outbox");
    let mut notifier = Notifier::open(service, Vec::new(), opened, outbox.join(CURSOR), clock).expect("a notifier");
    assert_eq!(fs::read_to_string(outbox.join(CURSOR)).expect("a cursor"), text, "it was taken up, and not begun anew");
    notifier.turn();
    let later: Value = serde_json::from_slice(&fs::read(outbox.join(CURSOR)).expect("a cursor")).expect("JSON");
    assert!(later["seq"].as_u64() > cursor["seq"].as_u64());
    assert_eq!(shape(&later).to_string(), shape(&cursor).to_string());
}
