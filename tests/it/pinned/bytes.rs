//! The bytes of what lies in a state directory: entries, manifests, reports, anchor lines and deliveries.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tacit::kernel::budget::entry::Entry;
use tacit::ledger::OUTBOX;
use tacit::ledger::sqlite::outbox::{Cursor, Delivery};
use tacit::query::terms::edition::Manifest;
use tacit::webhooks::notifier::Notifier;
use tacit::webhooks::outbox::Outbox;
use tacit::webhooks::watch::Watch;

use super::scene::{END_MS, SetClock};
use super::{ALL, V1, V2};

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
    let (first, second) = (V1.lines("entries.jsonl"), V2.lines("entries.jsonl"));
    assert_eq!((first.len(), second.len()), (23, 24));
    for line in first.into_iter().chain(second) {
        let bytes = hex::decode(line["bytes"].as_str().expect("hexadecimal")).expect("bytes");
        let entry = Entry::read(&bytes).unwrap_or_else(|| panic!("{} is not read", line["kind"]));
        assert_eq!((json!(entry.act.kind()), entry.canonical_bytes()), (line["kind"].clone(), bytes));
        assert_eq!(json!(entry).to_string(), line["json"].to_string());
    }
}

/// A manifest is written as it was: its commitment in the ledger is a digest of its JSON.
#[test]
fn manifests_are_written_as_they_were() {
    for pinned in ALL {
        let (dir, scene) = pinned.opened(END_MS);
        let editions = pinned.path().join("state/editions");
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
    for pinned in ALL {
        let (dir, scene) = pinned.opened(END_MS);
        drop(scene);
        let read = |path: &Path| fs::read_to_string(path).expect("an anchor");
        let (before, after) =
            (read(&pinned.path().join("state/anchor.log")), read(&dir.path().join("state/anchor.log")));
        let new: Vec<&str> = after.strip_prefix(&before).expect("lines are added").lines().collect();
        assert!(!new.is_empty());
        let known: Vec<String> = before.lines().map(|text| shape(&line(text)).to_string()).collect();
        let seed: [u8; 32] =
            fs::read(pinned.path().join("state/ledger.key")).expect("a key").try_into().expect("a seed");
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
            assert!(known.contains(&shape), "{shape}");
        }
    }
}

/// Deliveries that wait in the folder of that version are taken over as they were written, and go on from there.
#[test]
fn deliveries_in_a_folder_are_taken_over_as_they_were() {
    let (dir, scene) = V1.opened(END_MS);
    let state = dir.path().join("state");
    let written = |number: u8| -> Value {
        let text = fs::read(state.join(OUTBOX).join(format!("{number:020}.json"))).expect("a delivery");
        serde_json::from_slice(&text).expect("JSON")
    };
    let written = [written(0), written(1)];
    let outbox = Outbox::open(&state, scene.write_lock.clone()).expect("an outbox");
    let found = |now_ms: u64| -> Vec<Value> {
        let json = |found: &Delivery| {
            json!({
                "id": found.id, "event": found.event, "at_ms": found.at_ms, "body": found.body, "webhook": found.webhook,
                "attempts": found.attempts, "next_ms": found.next_ms
            })
        };
        outbox.due(now_ms).expect("deliveries").iter().map(json).collect()
    };
    assert_eq!(found(END_MS), written);
    assert!(!state.join(OUTBOX).exists());
    let first = outbox.due(END_MS).expect("deliveries").remove(0);
    outbox.failed(&first, END_MS).expect("put off");
    assert_eq!(found(END_MS), written[1..]);
    let mut later = written[0].clone();
    (later["attempts"], later["next_ms"]) = (json!(2), json!(END_MS + 20_000));
    assert_eq!(found(END_MS + 20_000), [later, written[1].clone()]);
}

/// The webhooks' notifier goes on where the file of that version says, and writes the same into its table.
#[test]
fn the_cursor_in_a_folder_is_taken_over_as_it_was() {
    let text = fs::read_to_string(V1.path().join("state").join(OUTBOX).join("cursor")).expect("a cursor");
    let cursor: Value = serde_json::from_str(&text).expect("JSON");
    let watch: Watch = serde_json::from_value(cursor["watch"].clone()).expect("what is watched");
    assert_eq!(serde_json::to_string(&watch).expect("JSON"), cursor["watch"].to_string());
    let (dir, scene) = V1.opened(END_MS);
    let open = || Outbox::open(&dir.path().join("state"), scene.write_lock.clone()).expect("an outbox");
    let stored = || {
        let Cursor { seq, watch } = open().cursor().expect("a cursor").expect("it is there");
        let watch: Value = serde_json::from_str(&watch).expect("JSON");
        json!({"seq": seq, "watch": watch})
    };
    assert_eq!(stored().to_string(), text);
    let (service, clock) = (Arc::clone(&scene.service), Arc::<SetClock>::clone(&scene.clock));
    let mut notifier = Notifier::open(service, Vec::new(), open(), clock).expect("a notifier");
    assert_eq!(stored().to_string(), text, "it was taken up, and not begun anew");
    notifier.turn();
    let later = stored();
    assert!(later["seq"].as_u64() > cursor["seq"].as_u64());
    assert_eq!(shape(&later).to_string(), shape(&cursor).to_string());
}

/// What waits in the outbox's tables, and how far they have told, is read as it was written.
#[test]
fn the_tables_of_the_outbox_are_read_as_they_were_written() {
    let (dir, scene) = V2.opened(END_MS);
    let outbox = Outbox::open(&dir.path().join("state"), scene.write_lock.clone()).expect("an outbox");
    let waiting = outbox.due(END_MS).expect("deliveries");
    assert_eq!(waiting.len(), 2);
    for delivery in &waiting {
        let body: Value = serde_json::from_str(&delivery.body).expect("JSON");
        assert_eq!(body["event"], json!(delivery.event));
        assert_eq!((delivery.webhook.as_str(), delivery.attempts), ("http://127.0.0.1:9/hook", 1));
    }
    let Cursor { seq, watch } = outbox.cursor().expect("a cursor").expect("it is there");
    let watched: Watch = serde_json::from_str(&watch).expect("what is watched");
    assert_eq!((seq, serde_json::to_string(&watched).expect("JSON")), (187, watch));
}
