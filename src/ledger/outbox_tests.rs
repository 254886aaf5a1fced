//! Deliveries over restarts, their pauses and their end.

use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;

const URL: &str = "https://hooks.example/tacit";

fn outbox() -> (TempDir, Outbox) {
    let dir = tempfile::tempdir().expect("a folder");
    let outbox = open(dir.path());
    (dir, outbox)
}

fn open(state: &Path) -> Outbox {
    Outbox::open(&state.join(OUTBOX)).expect("an outbox")
}

fn put(outbox: &Outbox, body: &str, now_ms: u64) -> String {
    outbox.put("refused", body, URL, now_ms).expect("put")
}

fn bodies(due: &[Waiting]) -> Vec<&str> {
    due.iter().map(|waiting| waiting.body.as_str()).collect()
}

#[test]
fn what_was_put_is_there_after_a_restart_in_its_order() {
    let (dir, outbox) = outbox();
    // A clock that goes back does not turn the order round.
    let ids = [put(&outbox, "{\"n\":1}", 900), put(&outbox, "{\"n\":2}", 800), put(&outbox, "{\"n\":3}", 800)];
    drop(outbox);
    let outbox = open(dir.path());
    assert_eq!(bodies(&outbox.due(900)), ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"]);
    assert_eq!(bodies(&outbox.due(899)), ["{\"n\":2}", "{\"n\":3}"]);
    let due = outbox.due(900);
    let first = &due[0];
    assert!(first.id == ids[0] && first.id.starts_with("evt_"), "{first:?}");
    assert_eq!((first.event.as_str(), first.webhook.as_str(), first.attempts), ("refused", URL, 0));

    outbox.delivered(&ids[1]);
    outbox.delivered("evt_nobody");
    put(&outbox, "{\"n\":4}", 0);
    let outbox = open(dir.path());
    assert_eq!(bodies(&outbox.due(900)), ["{\"n\":1}", "{\"n\":3}", "{\"n\":4}"]);
    assert_eq!(outbox.count(), 3);
}

#[test]
fn pauses_double_up_to_an_hour_and_a_week_is_the_end() {
    let (dir, outbox) = outbox();
    let id = put(&outbox, "{}", 1_000);
    let mut now_ms = 1_000;
    for pause_ms in [10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 640_000, 1_280_000, 2_560_000, 3_600_000] {
        outbox.failed(&id, now_ms);
        now_ms += pause_ms;
        assert!(outbox.due(now_ms - 1).is_empty(), "before {pause_ms}");
        assert_eq!(outbox.due(now_ms).len(), 1, "after {pause_ms}");
    }
    let outbox = open(dir.path());
    assert!(outbox.due(now_ms - 1).is_empty(), "a restart does not shorten a pause");
    assert_eq!(outbox.due(now_ms)[0].attempts, 10);
    outbox.failed(&id, 1_000 + AGE_MS_MAX - 1);
    assert_eq!(outbox.count(), 1);
    outbox.failed(&id, 1_000 + AGE_MS_MAX);
    assert_eq!((outbox.count(), open(dir.path()).count()), (0, 0));
    outbox.failed(&id, 0);
}

#[test]
fn many_attempts_do_not_overflow() {
    let (_dir, outbox) = outbox();
    put(&outbox, "{}", 0);
    let waiting = Waiting { attempts: u32::MAX, ..outbox.due(0).remove(0) };
    let later = put_off(waiting, 5).expect("it is young");
    assert_eq!((later.attempts, later.next_ms), (u32::MAX, 5 + PAUSE_MS_MAX));
}

#[test]
fn files_are_their_owners_alone_and_what_is_none_is_left() {
    let (dir, outbox) = outbox();
    put(&outbox, "{}", 0);
    let folder = dir.path().join(OUTBOX);
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    let file = folder.join("00000000000000000000.json");
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));

    let (partial, foreign) = (folder.join("00000000000000000001.partial"), folder.join("00000000000000000007.json"));
    fs::write(&partial, "{\"id\"").expect("a file");
    fs::write(&foreign, "{\"id\":1}").expect("a file");
    let outbox = open(dir.path());
    assert_eq!((outbox.count(), outbox.due(0).len()), (1, 1));
    assert!(!partial.exists() && foreign.exists());
    put(&outbox, "{}", 0);
    assert!(folder.join("00000000000000000008.json").exists(), "no number is used twice");

    fs::remove_file(&file).expect("somebody removed it");
    assert_eq!((outbox.due(0).len(), outbox.count()), (1, 1));
}

#[test]
fn a_full_outbox_drops_its_oldest() {
    let (_dir, outbox) = outbox();
    let oldest = put(&outbox, "{}", 0);
    let next = put(&outbox, "{}", 0);
    // As many as if they had been put, without a file for each.
    for number in 2..WAITING_MAX as u64 {
        outbox.slots().waiting.insert(number, Slot { id: format!("evt_{number}"), next_ms: u64::MAX });
    }
    outbox.slots().next_number = WAITING_MAX as u64;
    put(&outbox, "{\"n\":\"newest\"}", 0);
    assert_eq!(outbox.count(), WAITING_MAX);
    let due = outbox.due(0);
    assert_eq!(bodies(&due), ["{}", "{\"n\":\"newest\"}"]);
    assert!(due[0].id == next && due.iter().all(|waiting| waiting.id != oldest));
}

#[test]
fn as_many_are_due_as_can_be_sent() {
    let (_dir, outbox) = outbox();
    let ids: Vec<String> = (0..DUE_MAX + 1).map(|_| put(&outbox, "{}", 0)).collect();
    let due = outbox.due(0);
    assert_eq!(due.len(), DUE_MAX);
    due.iter().for_each(|waiting| outbox.delivered(&waiting.id));
    assert_eq!(outbox.due(0)[0].id, ids[DUE_MAX]);
}
