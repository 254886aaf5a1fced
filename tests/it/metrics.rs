//! Metrics, which do not depend on rows, and webhooks, which report every event exactly once.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::mpsc;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tacit::cli::notify::{CURSOR, Notifier};
use tacit::config::{Webhook, WebhookEvent};
use tacit::kernel::clock::Clock;
use tacit::kernel::vault::noise::OpenDp;
use tacit::ledger::outbox::{OUTBOX, Outbox};
use tacit::net::listener::Peer;
use tower::ServiceExt;

use crate::support::{GAUSSIAN, Lab, NoNoise, PURE, StoppedClock, block_on, call, policy, visits};

const STATISTIC: &str =
    "-- title: Older people\n-- epsilon: 0.1\n-- refresh: daily\nSELECT COUNT(*) AS n FROM visits WHERE age > 50";

async fn metrics(lab: &Lab) -> String {
    let reply = lab.get("/metrics", &lab.steward).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", String::from_utf8_lossy(&reply.bytes));
    assert_eq!(reply.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    String::from_utf8(reply.bytes).expect("text")
}

/// Value of a sample, by its name with its labels.
fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find(|line| line.strip_prefix(sample).is_some_and(|rest| rest.starts_with(' ')));
    let line = line.unwrap_or_else(|| panic!("no {sample} in\n{text}"));
    line.rsplit(' ').next().expect("a value").parse().expect("a number")
}

#[test]
fn metrics_are_text_that_prometheus_reads() {
    block_on(async {
        let lab = Lab::publishing(&policy(GAUSSIAN), &[("older", STATISTIC)], "1", Arc::new(StoppedClock));
        lab.service.refresh_due().await;
        assert_eq!(lab.sql("SELECT COUNT(*) FROM visits", "0.5").await.status, StatusCode::OK);
        let text = metrics(&lab).await;
        let mut family = String::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                family = rest.split(' ').next().expect("a name").to_owned();
                assert!(family.starts_with("tacit_"), "{line}");
                continue;
            }
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let kind = rest.strip_prefix(&format!("{family} ")).expect("the same name");
                assert!(
                    matches!(kind, "gauge" | "counter") && (kind == "counter") == family.ends_with("_total"),
                    "{line}"
                );
                continue;
            }
            let (sample, value) = line.rsplit_once(' ').expect("a value");
            let name = sample.split('{').next().expect("a name");
            assert_eq!(name, family, "{line}");
            assert!(name.len() == sample.len() || sample.ends_with("\"}"), "{line}");
            assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
        }
        assert!(text.ends_with('\n'));
        let account = "{dataset=\"visits\",kind=\"researcher\",name=\"ada\"}";
        assert_eq!(value(&text, &format!("tacit_epsilon_cap{account}")), 1.0);
        assert!((value(&text, &format!("tacit_epsilon_spent{account}")) - 0.5).abs() < 1e-6);
        let fraction = value(&text, &format!("tacit_fraction_spent{account}"));
        assert!(fraction > 0.0 && fraction < 1.0, "{fraction}");
        for (sample, wanted) in [
            ("tacit_ready", 1.0),
            ("tacit_datasets", 1.0),
            ("tacit_executing", 0.0),
            ("tacit_releases_total", 2.0),
            ("tacit_requests_open", 0.0),
            ("tacit_people{role=\"steward\",active=\"true\"}", 1.0),
            ("tacit_people{role=\"viewer\",active=\"false\"}", 0.0),
            ("tacit_incidents{dataset=\"visits\"}", 0.0),
            ("tacit_cut_off_total{dataset=\"visits\"}", 0.0),
            ("tacit_frozen{dataset=\"visits\"}", 0.0),
            ("tacit_statistic_stale{statistic=\"older\"}", 0.0),
            ("tacit_statistic_waiting{statistic=\"older\"}", 0.0),
            ("tacit_statistic_released_timestamp_seconds{statistic=\"older\"}", 1_790_000_000.0),
            ("tacit_http_responses_total{class=\"2xx\"}", 1.0),
            ("tacit_http_responses_total{class=\"5xx\"}", 0.0),
        ] {
            assert_eq!(value(&text, sample), wanted, "{sample}");
        }
        let entries = value(&text, "tacit_ledger_entries_total");
        assert_eq!(entries, lab.head().0 as f64);
        assert!(value(&text, "tacit_statistic_next_refresh_timestamp_seconds{statistic=\"older\"}") > 1_790_000_000.0);
        assert_eq!(value(&metrics(&lab).await, "tacit_http_responses_total{class=\"2xx\"}"), 2.0, "it counts itself");
        lab.verified();
    });
}

/// Two tables that differ only in their rows lead to the same metrics for the same questions.
#[test]
fn metrics_tell_nothing_of_rows() {
    let texts: Vec<String> = [40, 400]
        .into_iter()
        .map(|patients| {
            let lab = Lab::new(&policy(GAUSSIAN), &visits(patients), Arc::new(OpenDp), "2");
            block_on(async {
                for age in [20, 60] {
                    let sql =
                        format!("SELECT region, COUNT(*), AVG(cost) FROM visits WHERE age > {age} GROUP BY region");
                    assert_eq!(lab.sql(&sql, "0.4").await.status, StatusCode::OK);
                }
                assert_eq!(lab.sql("SELECT COUNT(*) FROM nowhere", "0.4").await.status, StatusCode::NOT_FOUND);
                metrics(&lab).await
            })
        })
        .collect();
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn metrics_are_for_stewards_and_for_programs_on_this_machine() {
    block_on(async {
        let lab = Lab::exact();
        let ask = async |peer: Option<&str>, token: Option<&str>, more: &[(&str, &str)]| {
            let mut request = Request::builder().uri("/metrics");
            if let Some(peer) = peer {
                request = request.extension(Peer(peer.parse::<SocketAddr>().expect("an address")));
            }
            if let Some(token) = token {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            for (name, value) in more {
                request = request.header(*name, *value);
            }
            let request = request.body(Body::empty()).expect("a request");
            let response = lab.router.clone().oneshot(request).await.expect("an answer");
            let status = response.status();
            to_bytes(response.into_body(), usize::MAX).await.expect("a body");
            status.as_u16()
        };
        let (here, none): (_, &[(&str, &str)]) = (Some("127.0.0.1:9"), &[]);
        for (peer, token, more, wanted) in [
            (None, None, none, 401),
            (here, None, none, 200),
            (Some("[::1]:9"), None, none, 200),
            (Some("192.0.2.7:9"), None, none, 401),
            (here, None, &[("x-forwarded-for", "192.0.2.7")], 401),
            (here, None, &[("forwarded", "for=192.0.2.7")], 401),
            (here, Some("tct_nobody"), none, 401),
            (here, Some(lab.researcher.as_str()), none, 403),
            (None, Some(lab.viewer.as_str()), none, 403),
            (Some("192.0.2.7:9"), Some(lab.steward.as_str()), none, 200),
        ] {
            assert_eq!(ask(peer, token, more).await, wanted, "{peer:?} {more:?}");
        }
        let text = metrics(&lab).await;
        assert_eq!(value(&text, "tacit_http_responses_total{class=\"4xx\"}"), 7.0);
        assert_eq!(value(&text, "tacit_http_responses_total{class=\"2xx\"}"), 3.0);
    });
}

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
        let timestamp = self.header("tacit-timestamp");
        let mac = Hmac::<Sha256>::new_from_slice(SECRET).expect("a key");
        let mac = mac.chain_update(&timestamp).chain_update(".").chain_update(&self.body);
        let signature = tacit::hex::encode(&mac.finalize().into_bytes());
        assert_eq!(self.header("tacit-signature"), format!("v1={signature}"));
        let event = self.header("tacit-event");
        assert_eq!(self.json()["event"], event);
        event
    }
}

const SECRET: &[u8] = b"a secret of the test";
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

fn notifier(lab: &Lab, webhooks: &[(&str, &[WebhookEvent])], clock: &Arc<SetClock>) -> Notifier {
    let outbox = lab.dir.path().join("state").join(OUTBOX);
    let webhook = |(url, events): &(&str, &[WebhookEvent])| {
        let secret_file = Path::new("secret").to_owned();
        (Webhook { url: (*url).to_owned(), secret_file, events: events.to_vec() }, SECRET.to_vec())
    };
    let webhooks = webhooks.iter().map(webhook).collect();
    let (service, clock) = (Arc::clone(&lab.service), Arc::clone(clock));
    let opened = Outbox::open(&outbox).expect("an outbox");
    Notifier::open(service, webhooks, opened, outbox.join(CURSOR), clock).expect("a notifier")
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
    let hooks = [(receiver.url.as_str(), &WebhookEvent::ALL[..])];
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
    assert!(told(&receiver).is_empty() && third.waiting() == 0);
    drop(third);
    lab.verified();
}

#[test]
fn what_is_not_taken_is_delivered_again_and_held_up_by_nobody() {
    let lab = Lab::new(&policy(PURE), &visits(20), Arc::new(NoNoise), "1");
    let (receiver, other, clock) = (Receiver::new(), Receiver::new(), Arc::new(SetClock(AtomicU64::new(BEGIN_MS))));
    let hooks =
        [(receiver.url.as_str(), &WebhookEvent::ALL[..]), (other.url.as_str(), &[WebhookEvent::RequestFiled][..])];
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
    assert_eq!((told(&other), turning.waiting()), (vec!["request-filed".to_owned(); 2], 3), "the other one was told");
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
    assert_eq!(
        again[0].header("tacit-delivery"),
        failed[0].header("tacit-delivery"),
        "a receiver knows what came twice"
    );
    assert_eq!(again[0].header("tacit-timestamp"), "1790000010", "the moment of this attempt");
    assert_eq!(turning.waiting(), 0);
    drop(turning);
    lab.verified();
}

#[test]
fn refusals_are_told_once_an_hour_and_statistics_that_were_not_drawn() {
    let lab = Lab::publishing(&policy(GAUSSIAN), &[("older", STATISTIC)], "0.01", Arc::new(StoppedClock));
    let (receiver, clock) = (Receiver::new(), Arc::new(SetClock(AtomicU64::new(BEGIN_MS))));
    let mut turning = notifier(&lab, &[(receiver.url.as_str(), &WebhookEvent::ALL[..])], &clock);
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
