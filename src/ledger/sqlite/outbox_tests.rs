//! The outbox beside a ledger that is being written, and without half a change.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::kernel::budget::entry::Act;
use crate::kernel::budget::ledger::{Ledger, read};
use crate::kernel::budget::people::Role;
use crate::ledger::SqliteLedger;

fn delivery(number: u64) -> Delivery {
    Delivery {
        id: format!("evt_{number}"),
        event: "refused".to_owned(),
        at_ms: 0,
        body: "{}".to_owned(),
        webhook: "https://hooks.example/tacit".to_owned(),
        attempts: 0,
        next_ms: 0,
    }
}

fn cursor(seq: u64) -> Cursor {
    Cursor { seq, watch: "{}".to_owned() }
}

#[test]
fn ledger_and_outbox_are_written_at_the_same_time_and_neither_fails() {
    let dir = tempfile::tempdir().expect("a folder");
    let ledger = SqliteLedger::open(dir.path(), 0).unwrap_or_else(|error| panic!("{error}"));
    let tables = OutboxTables::open(dir.path(), ledger.write_lock()).unwrap_or_else(|error| panic!("{error}"));
    let writes = 50;
    let add = |number: u8| {
        let (name, token, by) = (format!("p{number}"), [number; 32], "ada".to_owned());
        let act = Act::PersonAdded { name, role: Role::Researcher, token, by };
        ledger.act(Box::new(|_| Some(act)), 1).expect("written").expect("taken");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| (0..writes).for_each(add));
        for number in 0..u64::from(writes) {
            tables.put(&[delivery(number)], Some(&cursor(number)), 1_000).expect("put");
        }
    });
    assert_eq!(tables.count(), Ok(usize::from(writes)));
    assert_eq!(read(&ledger, |book| book.head().0), u64::from(writes));
}

#[test]
fn a_change_that_fails_leaves_nothing_of_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let ledger = SqliteLedger::open(dir.path(), 0).unwrap_or_else(|error| panic!("{error}"));
    let tables = OutboxTables::open(dir.path(), ledger.write_lock()).unwrap_or_else(|error| panic!("{error}"));
    tables.put(&[delivery(0)], Some(&cursor(3)), 1_000).expect("put");
    let stuck = "CREATE TRIGGER stuck BEFORE UPDATE ON outbox_cursor BEGIN SELECT RAISE(ABORT, 'a full disk'); END";
    tables.database.connection.execute_batch(stuck).expect("a trigger");
    assert_eq!(tables.put(&[delivery(1), delivery(2)], Some(&cursor(4)), 1_000), Err(OutboxFault));
    assert_eq!((tables.count(), tables.cursor()), (Ok(1), Ok(Some(cursor(3)))));
    tables.database.connection.execute_batch("DROP TRIGGER stuck").expect("no trigger");
    tables.put(&[delivery(1), delivery(2)], Some(&cursor(4)), 1_000).expect("put");
    assert_eq!((tables.count(), tables.cursor()), (Ok(3), Ok(Some(cursor(4)))));
}

/// The outbox writes while it holds the very lock that the ledger's commits take.
#[test]
fn the_ledgers_lock_is_held_while_the_outbox_is_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let ledger = SqliteLedger::open(dir.path(), 0).unwrap_or_else(|error| panic!("{error}"));
    let tables = OutboxTables::open(dir.path(), ledger.write_lock()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(tables.write(|_| Ok(ledger.write_lock().is_held())), Ok(true));
    assert!(!ledger.write_lock().is_held());
}

#[test]
fn one_delivery_is_put_once_whoever_puts_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let ledger = SqliteLedger::open(dir.path(), 0).unwrap_or_else(|error| panic!("{error}"));
    let tables = OutboxTables::open(dir.path(), ledger.write_lock()).unwrap_or_else(|error| panic!("{error}"));
    tables.put(&[delivery(1), delivery(1)], None, 1_000).expect("put");
    tables.put_off("evt_1", 4, 9).expect("put off");
    assert_eq!(tables.put(&[delivery(1), delivery(2), delivery(3)], None, 2), Ok(vec!["evt_1".to_owned()]));
    assert_eq!(tables.due(9, 10), Ok(vec![delivery(2), delivery(3)]));
    assert_eq!(tables.cursor(), Ok(None));
}

#[test]
fn a_change_that_panics_leaves_neither_half_of_it_nor_a_locked_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let ledger = SqliteLedger::open(dir.path(), 0).unwrap_or_else(|error| panic!("{error}"));
    let tables = OutboxTables::open(dir.path(), ledger.write_lock()).unwrap_or_else(|error| panic!("{error}"));
    let panicking = || {
        tables.write(|connection| -> rusqlite::Result<()> {
            insert(connection, &delivery(0))?;
            panic!("a fault of ours")
        })
    };
    assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
    assert_eq!(tables.count(), Ok(0));
    let act = Act::PersonAdded { name: "p".to_owned(), role: Role::Researcher, token: [1; 32], by: "ada".to_owned() };
    ledger.act(Box::new(|_| Some(act)), 1).expect("written").expect("taken");
    tables.put(&[delivery(1)], None, 1_000).expect("put");
}
