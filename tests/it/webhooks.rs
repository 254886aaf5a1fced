//! Webhooks report every event exactly once, in the ledger's order, whatever their receivers answer.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::mpsc;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tacit::config::{Config, Webhook, WebhookEvent};
use tacit::kernel::clock::Clock;
use tacit::ledger::{LEDGER_FILE, OUTBOX};
use tacit::webhooks::deliver::WebhookKey;
use tacit::webhooks::notifier::{Notifier, Recipient, configured};
use tacit::webhooks::outbox::Outbox;

use crate::support::{GAUSSIAN, Lab, NoNoise, PURE, StoppedClock, block_on, call, policy, visits};

/// A statistic that is drawn every day.
const STATISTIC: &str =
    "-- title: Older people\n-- epsilon: 0.1\n-- refresh: daily\nSELECT COUNT(*) AS n FROM visits WHERE age > 50";

/// A clock that the test sets.
struct SetClock(AtomicU64);

impl Clock for SetClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A request that the receiver got.
struct Delivery {
    head: String,
    body: String,
}

impl Delivery {
    fn header(&self, name: &str) -> String {
        let wanted = |line: &&str| line.split(':').next().is_some_and(|found| found.eq_ignore_ascii_case(name));
        let line = self.head.lines().find(wanted).unwrap_or_else(|| panic!("no {name} in {}", self.head));
        line.split_once(':').expect("a header").1.trim().to_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// The event of a delivery, after checking its headers and signature.
    fn checked(&self) -> String {
        let timestamp = self.header("webhook-timestamp").parse().expect("seconds");
        // As a receiver signs what it got, whose library was given the secret's bytes.
        let receiving = standardwebhooks::Webhook::from_bytes(SECRET.as_bytes().to_vec()).expect("a key");
        let signature = receiving.sign(&self.header("webhook-id"), timestamp, self.body.as_bytes());
        assert_eq!(self.header("webhook-signature"), signature.expect("a signature"));
        let event = self.header("tacit-event");
        assert_eq!(self.json()["event"], event);
        event
    }
}

const SECRET: &str = "a secret of the test";
const BEGIN_MS: u64 = 1_790_000_000_000;

/// A web server that answers every request with the given status.
struct Receiver {
    url: String,
    status: Arc<AtomicU16>,
    got: mpsc::Receiver<Delivery>,
}

impl Receiver {
    fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a listener");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let (status, (send, got)) = (Arc::new(AtomicU16::new(204)), mpsc::channel());
        let answer = Arc::clone(&status);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let delivery = receive(&mut stream);
                if send.send(delivery).is_err() {
                    break;
                }
                let status = answer.load(Ordering::Relaxed);
                let reply = format!("HTTP/1.1 {status} Said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                // A 204 has no body and no Content-Length.
                let reply = if status == 204 { reply.replace("Content-Length: 0\r\n", "") } else { reply };
                stream.write_all(reply.as_bytes()).expect("answered");
            }
        });
        Self { url, status, got }
    }

    /// Deliveries that arrived since the last call.
    fn events(&self) -> Vec<Delivery> {
        self.got.try_iter().collect()
    }
}

fn receive(stream: &mut impl Read) -> Delivery {
    let (mut got, mut chunk) = (Vec::new(), [0; 4_096]);
    loop {
        let text = String::from_utf8_lossy(&got).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let delivery = Delivery { head: head.to_owned(), body: body.to_owned() };
            if body.len() == delivery.header("content-length").parse::<usize>().expect("a length") {
                return delivery;
            }
        }
        let read = stream.read(&mut chunk).expect("bytes");
        assert!(read > 0, "the delivery ended early: {text}");
        got.extend_from_slice(&chunk[..read]);
    }
}

fn state(lab: &Lab) -> PathBuf {
    lab.dir.path().join("state")
}

fn notifier(lab: &Lab, webhooks: &[(&str, &[WebhookEvent])], clock: &Arc<SetClock>) -> Notifier {
    let webhook = |(url, events): &(&str, &[WebhookEvent])| {
        let secret_file = Path::new("secret").to_owned();
        let webhook = Webhook { url: (*url).to_owned(), secret_file, events: events.to_vec() };
        Recipient { webhook, key: WebhookKey::of(SECRET).expect("a key") }
    };
    let recipients = webhooks.iter().map(webhook).collect();
    let (service, clock) = (Arc::clone(&lab.service), Arc::clone(clock));
    let outbox = Outbox::open(&state(lab), lab.write_lock.clone()).expect("an outbox");
    Notifier::open(service, recipients, outbox, clock).expect("a notifier")
}

fn told(receiver: &Receiver) -> Vec<String> {
    receiver.events().iter().map(Delivery::checked).collect()
}

fn ask(lab: &Lab, age: u8, epsilon: &str) -> StatusCode {
    block_on(lab.sql(&format!("SELECT COUNT(*) FROM visits WHERE age > {age}"), epsilon)).status
}

#[test]
fn webhooks_are_told_once_of_what_is_spent() {
    let lab = Lab::new(&policy(PURE), &visits(20), Arc::new(NoNoise), "1");
    let (receiver, clock) = (Receiver::new(), Arc::new(SetClock(AtomicU64::new(BEGIN_MS))));
    let hooks = [(receiver.url.as_str(), WebhookEvent::ALL)];
    assert_eq!(ask(&lab, 10, "0.3"), StatusCode::OK);
    let mut first = notifier(&lab, &hooks, &clock);
    first.turn();
    assert!(told(&receiver).is_empty(), "what was before is not told");
    assert_eq!(ask(&lab, 20, "0.3"), StatusCode::OK);
    first.turn();
    let events = receiver.events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].checked(), "spent-50");
    let body = events[0].json();
    let told_of = ["dataset", "kind", "name", "epsilon_cap"].map(|key| body[key].as_str().expect("text"));
    assert_eq!(told_of, ["visits", "researcher", "ada", "1"], "{body}");
    assert!(
        body["fraction"]
            .as_str()
            .is_some_and(|text| text.parse::<f64>().is_ok_and(|part| (0.59..0.61).contains(&part)))
    );
    assert!(body["at"].as_str().is_some_and(|text| text.starts_with("2026-09-21T")), "{body}");

    // A restart repeats nothing and loses nothing: an event that happened before anybody looked is still delivered.
    drop(first);
    assert_eq!(ask(&lab, 30, "0.399"), StatusCode::OK);
    assert_eq!(block_on(lab.grant("ada", "visits", "10")).status, StatusCode::OK);
    let mut second = notifier(&lab, &hooks, &clock);
    second.turn();
    assert_eq!(told(&receiver), ["spent-80"], "0.999 is not all of it");
    assert_eq!(ask(&lab, 40, "1"), StatusCode::OK);
    second.turn();
    assert!(told(&receiver).is_empty(), "a fifth of what is held now");
    assert_eq!(ask(&lab, 50, "8.001"), StatusCode::OK);
    second.turn();
    assert_eq!(told(&receiver), ["spent-50", "spent-80", "spent-100"], "one charge through all of it");
    drop(second);
    let mut third = notifier(&lab, &hooks, &clock);
    third.turn();
    assert!(told(&receiver).is_empty() && third.waiting() == Ok(0));
    drop(third);
    lab.verified();
}

#[test]
fn what_is_not_taken_is_delivered_again_and_held_up_by_nobody() {
    let lab = Lab::new(&policy(PURE), &visits(20), Arc::new(NoNoise), "1");
    let (receiver, other, clock) = (Receiver::new(), Receiver::new(), Arc::new(SetClock(AtomicU64::new(BEGIN_MS))));
    let hooks = [(receiver.url.as_str(), WebhookEvent::ALL), (other.url.as_str(), &[WebhookEvent::RequestFiled][..])];
    let mut turning = notifier(&lab, &hooks, &clock);
    receiver.status.store(500, Ordering::Relaxed);
    let file = |epsilon: &str| {
        let body = json!({"dataset": "visits", "epsilon": epsilon, "reason": "more"}).to_string();
        block_on(call(&lab.router, Method::POST, "/v1/requests", Some(&lab.researcher), &[], body)).status
    };
    assert_eq!(
        (file("2"), file("3"), ask(&lab, 10, "0.6")),
        (StatusCode::CREATED, StatusCode::CREATED, StatusCode::OK)
    );
    turning.turn();
    let failed = receiver.events();
    assert_eq!(failed.len(), 1, "one that fails says enough for this turn");
    assert_eq!(failed[0].json()["epsilon"], "2");
    assert_eq!(
        (told(&other), turning.waiting()),
        (vec!["request-filed".to_owned(); 2], Ok(3)),
        "the other one was told"
    );
    for later in [0, 9_999] {
        clock.0.store(BEGIN_MS + later, Ordering::Relaxed);
        turning.turn();
        assert!(receiver.events().is_empty(), "not before {later} ms and one more");
    }
    // Deliveries that wait survive a restart.
    drop(turning);
    receiver.status.store(204, Ordering::Relaxed);
    clock.0.store(BEGIN_MS + 10_000, Ordering::Relaxed);
    let mut turning = notifier(&lab, &hooks, &clock);
    turning.turn();
    let again = receiver.events();
    let events: Vec<_> = again.iter().map(Delivery::checked).collect();
    assert_eq!(events, ["request-filed", "request-filed", "spent-50"], "in the order of the ledger");
    assert_eq!(again[0].header("webhook-id"), failed[0].header("webhook-id"), "a receiver knows what came twice");
    assert_eq!(again[0].header("webhook-timestamp"), "1790000010", "the moment of this attempt");
    assert_eq!(turning.waiting(), Ok(0));
    drop(turning);
    lab.verified();
}

#[test]
fn refusals_are_told_once_an_hour_and_statistics_that_were_not_drawn() {
    let lab = Lab::publishing(&policy(GAUSSIAN), &[("older", STATISTIC)], "0.01", Arc::new(StoppedClock));
    let (receiver, clock) = (Receiver::new(), Arc::new(SetClock(AtomicU64::new(BEGIN_MS))));
    let mut turning = notifier(&lab, &[(receiver.url.as_str(), WebhookEvent::ALL)], &clock);
    for age in [10, 20, 30] {
        assert_eq!(ask(&lab, age, "1.5"), StatusCode::FORBIDDEN);
    }
    block_on(lab.service.refresh_due());
    turning.turn();
    let events = receiver.events();
    let mut words: Vec<_> = events.iter().map(Delivery::checked).collect();
    words.sort();
    assert_eq!(words, ["refresh-skipped", "refused"]);
    let body = events.iter().map(Delivery::json).find(|body| body["event"] == "refused").expect("a refusal");
    let told_of = ["dataset", "researcher", "code"].map(|key| body[key].as_str().expect("text"));
    assert_eq!(told_of, ["visits", "ada", "budget-exhausted"]);
    let body = events.iter().map(Delivery::json).find(|body| body["event"] == "refresh-skipped").expect("a skip");
    assert_eq!(body["statistic"], "older");
    assert_eq!(ask(&lab, 40, "1.5"), StatusCode::FORBIDDEN);
    turning.turn();
    assert!(told(&receiver).is_empty(), "once an hour");
    drop(turning);
    lab.verified();
}

/// A connection to the ledger's file, to look into the outbox and to make it fail.
fn database(lab: &Lab) -> rusqlite::Connection {
    rusqlite::Connection::open(state(lab).join(LEDGER_FILE)).expect("a database")
}

fn file_request(lab: &Lab, epsilon: &str) {
    let body = json!({"dataset": "visits", "epsilon": epsilon, "reason": "more"}).to_string();
    let reply = block_on(call(&lab.router, Method::POST, "/v1/requests", Some(&lab.researcher), &[], body));
    assert_eq!(reply.status, StatusCode::CREATED);
}

#[test]
fn an_outbox_that_cannot_be_written_loses_nothing_and_repeats_nothing() {
    let lab = Lab::new(&policy(PURE), &visits(20), Arc::new(NoNoise), "1");
    let (receiver, clock) = (Receiver::new(), Arc::new(SetClock(AtomicU64::new(BEGIN_MS))));
    let mut turning = notifier(&lab, &[(receiver.url.as_str(), WebhookEvent::ALL)], &clock);
    let database = database(&lab);
    let fail = |what: &str| {
        let sql = format!("CREATE TRIGGER full BEFORE {what} BEGIN SELECT RAISE(ABORT, 'a full disk'); END");
        database.execute_batch(&sql).expect("a trigger");
    };
    let mend = || database.execute_batch("DROP TRIGGER full").expect("no trigger");

    fail("UPDATE ON outbox_cursor");
    file_request(&lab, "2");
    assert_eq!(ask(&lab, 10, "0.6"), StatusCode::OK);
    turning.turn();
    file_request(&lab, "3");
    turning.turn();
    assert!(told(&receiver).is_empty() && turning.waiting() == Ok(0), "nothing is told that a restart would repeat");
    mend();
    turning.turn();
    assert_eq!(told(&receiver), ["request-filed", "spent-50"]);
    turning.turn();
    assert_eq!(told(&receiver), ["request-filed"], "what happened meanwhile is told next");

    fail("DELETE ON outbox");
    file_request(&lab, "4");
    turning.turn();
    assert_eq!((told(&receiver), turning.waiting()), (vec!["request-filed".to_owned()], Ok(1)));
    turning.turn();
    assert_eq!((told(&receiver), turning.waiting()), (Vec::new(), Ok(1)), "it was made already");
    mend();
    turning.turn();
    assert_eq!((told(&receiver), turning.waiting()), (Vec::new(), Ok(0)));
    drop((turning, database));
    lab.verified();
}

#[test]
fn what_an_earlier_version_left_in_a_folder_is_told_once() {
    let lab = Lab::new(&policy(PURE), &visits(20), Arc::new(NoNoise), "1");
    let (receiver, clock) = (Receiver::new(), Arc::new(SetClock(AtomicU64::new(BEGIN_MS))));
    let hooks = [(receiver.url.as_str(), WebhookEvent::ALL)];
    assert_eq!(ask(&lab, 10, "0.3"), StatusCode::OK);
    drop(notifier(&lab, &hooks, &clock));
    // The cursor as that version wrote it, after the first question, and a delivery that it had tried once.
    let database = database(&lab);
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
    let (seq, watch) = database.query_row("SELECT seq, watch FROM outbox_cursor", [], row).expect("a cursor");
    database.execute_batch("DROP TABLE outbox; DROP TABLE outbox_cursor").expect("as it was");
    drop(database);
    let folder = state(&lab).join(OUTBOX);
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("cursor"), format!("{{\"seq\":{seq},\"watch\":{watch}}}")).expect("a cursor");
    let waiting = json!({
        "id": "evt_0123", "event": "refused", "at_ms": BEGIN_MS - 20_000, "body": "{\"event\":\"refused\"}",
        "webhook": receiver.url, "attempts": 1, "next_ms": BEGIN_MS
    });
    std::fs::write(folder.join("00000000000000000004.json"), waiting.to_string()).expect("a delivery");

    assert_eq!(ask(&lab, 20, "0.3"), StatusCode::OK);
    for events in [&["refused", "spent-50"][..], &[]] {
        let mut turning = notifier(&lab, &hooks, &clock);
        turning.turn();
        let found = receiver.events();
        assert_eq!(found.iter().map(Delivery::checked).collect::<Vec<_>>(), events);
        assert!(found.first().is_none_or(|delivery| delivery.header("webhook-id") == "evt_0123"));
        assert_eq!(turning.waiting(), Ok(0));
        assert!(!folder.exists());
    }
    lab.verified();
}

#[test]
fn a_configuration_is_told_what_is_wrong_with_its_secret() {
    let lab = Lab::new(&policy(PURE), &visits(20), Arc::new(NoNoise), "1");
    let (path, secret) = (lab.dir.path().join("tacit.toml"), lab.dir.path().join("secret"));
    let configured = |webhooks: &str| {
        let text = format!("listen = \"127.0.0.1:0\"\nstate_dir = \"state\"\npolicies = []\n{webhooks}");
        std::fs::write(&path, text).expect("a file");
        let config = Config::load(&path).unwrap_or_else(|error| panic!("{error}"));
        let notifier = configured(&config, &lab.service, lab.write_lock.clone());
        notifier.map(|notifier| notifier.is_some()).map_err(|error| error.to_string())
    };
    let tables = || {
        let count = "SELECT count(*) FROM sqlite_master WHERE name LIKE 'outbox%' AND type = 'table'";
        database(&lab).query_row(count, [], |row| row.get::<_, i64>(0)).expect("a count")
    };
    assert_eq!((configured(""), tables()), (Ok(false), 0), "without a webhook nothing is made");
    let hook = "[[webhook]]\nurl = \"http://127.0.0.1:9/\"\nsecret_file = \"secret\"\n";
    let shown = secret.display();
    assert_eq!(configured(hook), Err(format!("{shown}: cannot be read: there is no such file")));
    for text in ["", "\n", "whsec_\n", "whsec_no base64\n"] {
        std::fs::write(&secret, text).expect("a file");
        let accepted = "accepted is a secret on one line: any text, or whsec_ and a key in base64";
        assert_eq!(configured(hook), Err(format!("{shown}: holds no secret; {accepted}")), "{text:?}");
    }
    for text in ["any text", "any text\r\n", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\n"] {
        std::fs::write(&secret, text).expect("a file");
        assert_eq!((configured(hook), tables()), (Ok(true), 2), "{text:?}");
    }
    lab.verified();
}
