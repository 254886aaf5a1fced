//! Deliveries over restarts, their pauses and their end, and what an earlier version left in a folder.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::ledger::SqliteLedger;

const URL: &str = "https://hooks.example/tacit";

/// A state directory with its ledger.
struct Place {
    _dir: TempDir,
    state: PathBuf,
    ledger: SqliteLedger,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let state = dir.path().join("state");
        let ledger = SqliteLedger::open(&state, 0).unwrap_or_else(|error| panic!("{error}"));
        Self { _dir: dir, state, ledger }
    }

    fn outbox(&self) -> Outbox {
        Outbox::open(&self.state, self.ledger.write_lock()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Writes a file into the folder of an earlier version.
    fn leave(&self, name: &str, text: &str) -> PathBuf {
        let path = self.state.join(OUTBOX).join(name);
        fs::create_dir_all(self.state.join(OUTBOX)).expect("a folder");
        fs::write(&path, text).expect("a file");
        path
    }
}

fn message(body: &str) -> Message {
    Message { event: "refused", body: body.to_owned(), webhook: URL.to_owned() }
}

fn at(seq: u64) -> Cursor {
    Cursor { seq, watch: "{\"marks\":{}}".to_owned() }
}

fn put(outbox: &Outbox, bodies: &[&str], now_ms: u64) {
    let messages: Vec<Message> = bodies.iter().map(|body| message(body)).collect();
    outbox.put(&messages, &at(1), now_ms).expect("put");
}

fn due(outbox: &Outbox, now_ms: u64) -> Vec<Delivery> {
    outbox.due(now_ms).expect("deliveries")
}

fn bodies(outbox: &Outbox, now_ms: u64) -> Vec<String> {
    due(outbox, now_ms).into_iter().map(|delivery| delivery.body).collect()
}

/// A delivery as an earlier version wrote it.
fn file(id: &str, attempts: u32, next_ms: u64) -> String {
    format!(
        "{{\"id\":\"{id}\",\"event\":\"refused\",\"at_ms\":5,\"body\":\"{{\\\"n\\\":1}}\",\"webhook\":\"{URL}\",\
         \"attempts\":{attempts},\"next_ms\":{next_ms}}}"
    )
}

#[test]
fn what_was_put_is_there_after_a_restart_in_its_order() {
    let place = Place::new();
    let outbox = place.outbox();
    assert_eq!(outbox.cursor(), Ok(None));
    // A clock that is set back does not change the order.
    put(&outbox, &["1"], 900);
    put(&outbox, &["2", "3"], 800);
    drop(outbox);
    let outbox = place.outbox();
    assert_eq!(bodies(&outbox, 900), ["1", "2", "3"]);
    assert_eq!(bodies(&outbox, 899), ["2", "3"]);
    let found = due(&outbox, 900);
    let Delivery { id, event, at_ms, webhook, attempts, next_ms, .. } = &found[0];
    assert!(id.starts_with("evt_") && found[1].id != *id, "{found:?}");
    assert_eq!((event.as_str(), webhook.as_str()), ("refused", URL));
    assert_eq!((*at_ms, *attempts, *next_ms), (900, 0, 900));

    outbox.delivered(&found[1].id).expect("removed");
    outbox.delivered("evt_nobody").expect("nothing to remove");
    outbox.put(&[message("4")], &at(7), 0).expect("put");
    let outbox = place.outbox();
    assert_eq!(bodies(&outbox, 900), ["1", "3", "4"]);
    assert_eq!((outbox.count(), outbox.cursor()), (Ok(3), Ok(Some(at(7)))));
}

#[test]
fn pauses_double_up_to_an_hour_and_a_week_is_the_end() {
    let place = Place::new();
    let outbox = place.outbox();
    put(&outbox, &["{}"], 1_000);
    let mut now_ms = 1_000;
    for pause_ms in [10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 640_000, 1_280_000, 2_560_000, 3_600_000] {
        outbox.failed(&due(&outbox, now_ms)[0], now_ms).expect("put off");
        now_ms += pause_ms;
        assert!(due(&outbox, now_ms - 1).is_empty(), "before {pause_ms}");
        assert_eq!(due(&outbox, now_ms).len(), 1, "after {pause_ms}");
    }
    let outbox = place.outbox();
    assert!(due(&outbox, now_ms - 1).is_empty(), "a restart does not shorten a pause");
    let delivery = due(&outbox, now_ms).remove(0);
    assert_eq!(delivery.attempts, 10);
    outbox.failed(&delivery, 1_000 + AGE_MS_MAX - 1).expect("put off");
    assert_eq!(outbox.count(), Ok(1));
    outbox.failed(&delivery, 1_000 + AGE_MS_MAX).expect("dropped");
    assert_eq!((outbox.count(), place.outbox().count()), (Ok(0), Ok(0)));
    outbox.failed(&delivery, 1_000).expect("it is gone, and nothing changes");
    assert_eq!(outbox.count(), Ok(0));
}

#[test]
fn many_attempts_and_late_moments_do_not_overflow() {
    let place = Place::new();
    let outbox = place.outbox();
    put(&outbox, &["{}"], 0);
    let often = Delivery { attempts: u32::MAX, ..due(&outbox, 0).remove(0) };
    outbox.failed(&often, 5).expect("put off");
    let later = due(&outbox, 5 + PAUSE_MS_MAX).remove(0);
    assert_eq!((later.attempts, later.next_ms), (u32::MAX, 5 + PAUSE_MS_MAX));
    outbox.failed(&Delivery { at_ms: u64::MAX, ..later }, u64::MAX).expect("put off");
    assert_eq!((due(&outbox, 1 << 62).len(), due(&outbox, u64::MAX).len()), (0, 1));
}

#[test]
fn a_full_outbox_drops_its_oldest() {
    let place = Place::new();
    let outbox = place.outbox();
    put(&outbox, &["oldest", "next"], 0);
    put(&outbox, &vec!["{}"; WAITING_MAX - 2], 0);
    assert_eq!((outbox.count(), bodies(&outbox, 0)[0].as_str()), (Ok(WAITING_MAX), "oldest"));
    put(&outbox, &["newest"], 0);
    assert_eq!((outbox.count(), bodies(&outbox, 0)[0].as_str()), (Ok(WAITING_MAX), "next"));
}

#[test]
fn as_many_are_due_as_can_be_sent() {
    let place = Place::new();
    let outbox = place.outbox();
    let all: Vec<String> = (0..=DUE_MAX).map(|number| number.to_string()).collect();
    put(&outbox, &all.iter().map(String::as_str).collect::<Vec<_>>(), 0);
    let first = due(&outbox, 0);
    assert_eq!(first.len(), DUE_MAX);
    first.iter().for_each(|delivery| outbox.delivered(&delivery.id).expect("removed"));
    assert_eq!(bodies(&outbox, 0), [all[DUE_MAX].as_str()]);
}

#[test]
fn a_folder_of_an_earlier_version_is_taken_over_whole_and_once() {
    let place = Place::new();
    // As a directory lists them, or not: their numbers are their order.
    place.leave("00000000000000000010.json", &file("evt_c", 0, 0));
    place.leave("00000000000000000002.json", &file("evt_a", 3, 40));
    place.leave("00000000000000000009.json", &file("evt_b", 0, 0));
    place.leave("00000000000000000011.partial", "{\"id\"");
    place.leave("cursor", "{\"seq\":6,\"watch\":{\"marks\":{}}}");
    let outbox = place.outbox();
    let found = due(&outbox, 40);
    let ids: Vec<&str> = found.iter().map(|delivery| delivery.id.as_str()).collect();
    assert_eq!(ids, ["evt_a", "evt_b", "evt_c"]);
    let first = Delivery {
        id: "evt_a".to_owned(),
        event: "refused".to_owned(),
        at_ms: 5,
        body: "{\"n\":1}".to_owned(),
        webhook: URL.to_owned(),
        attempts: 3,
        next_ms: 40,
    };
    assert_eq!((&found[0], due(&outbox, 39).len()), (&first, 2));
    assert_eq!(outbox.cursor(), Ok(Some(at(6))));
    assert!(!place.state.join(OUTBOX).exists());

    // New ones come after those that were taken over.
    outbox.put(&[message("new")], &at(8), 0).expect("put");
    assert_eq!(bodies(&outbox, 40), ["{\"n\":1}", "{\"n\":1}", "{\"n\":1}", "new"]);
    assert_eq!((place.outbox().count(), place.outbox().cursor()), (Ok(4), Ok(Some(at(8)))));
}

/// A crash after the files were taken over, and before they were removed, leaves them there.
#[test]
fn files_that_were_taken_over_already_add_nothing() {
    let place = Place::new();
    place.leave("00000000000000000000.json", &file("evt_a", 0, 0));
    place.leave("cursor", "{\"seq\":6,\"watch\":{\"marks\":{}}}");
    let outbox = place.outbox();
    outbox.put(&[message("new")], &at(8), 0).expect("put");
    drop(outbox);
    place.leave("00000000000000000000.json", &file("evt_a", 0, 0));
    place.leave("cursor", "{\"seq\":6,\"watch\":{\"marks\":{}}}");
    let outbox = place.outbox();
    assert_eq!((outbox.count(), outbox.cursor()), (Ok(2), Ok(Some(at(8)))));
    assert!(!place.state.join(OUTBOX).exists());
}

#[test]
fn what_is_no_delivery_stays_where_it_is() {
    let place = Place::new();
    let foreign = place.leave("00000000000000000007.json", "{\"id\":1}");
    let notes = place.leave("notes.txt", "somebody's");
    place.leave("00000000000000000008.json", &file("evt_a", 0, 0));
    place.leave("cursor", "not JSON");
    let outbox = place.outbox();
    assert_eq!((outbox.count(), outbox.cursor()), (Ok(1), Ok(None)));
    let left: Vec<_> = fs::read_dir(place.state.join(OUTBOX)).expect("a folder").collect();
    assert!(left.len() == 2 && foreign.exists() && notes.exists(), "{left:?}");
    assert_eq!(place.outbox().count(), Ok(1));
}
