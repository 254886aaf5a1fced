//! A thousand canary values are in the data, and none appears in any response, log line or error.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::http::Method;
use serde_json::{Value, json};
use tacit::engine::{Engine, EngineFault};
use tacit::kernel::vault::noise::OpenDp;
use tacit::kernel::vault::private::{Exact, Private};
use tacit::query::computation::Computation;

use crate::pgdoor::Served;
use crate::support::{BrokenNoise, GAUSSIAN, Lab, block_on, call, policy, visits};

/// Log lines collected in memory.
#[derive(Clone, Default)]
pub struct Log(pub Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An engine that panics with a canary in its message, as a library might.
struct Blabbing;

impl Engine for Blabbing {
    fn evaluate(&self, _: &str, _: &Computation) -> Result<Private<Exact>, EngineFault> {
        panic!("could not parse CANARY-D0001 as i64")
    }

    fn is_ready(&self, _: &str) -> bool {
        true
    }
}

/// Ids, unlisted diagnoses and extreme costs that occur nowhere else.
fn canaries() -> String {
    let mut csv = visits(40);
    for number in 0..1_000 {
        let age = 30 + number % 50;
        csv.push_str(&format!("CANARY-P{number:04},north,CANARY-D{number:04},,{age},777{number:04}.25,2023-01-01\n"));
    }
    csv
}

/// A policy whose bounds do not clamp the canary costs, so that they are in the sealed table.
fn canary_policy() -> String {
    policy(GAUSSIAN).replace("max = \"500\"", "max = \"10000000\"")
}

fn is_clean(text: &str) -> bool {
    !text.contains("CANARY") && !(0..1_000).any(|number| text.contains(&format!("777{number:04}.25")))
}

const QUESTIONS: [&str; 22] = [
    "SELECT COUNT(*) FROM visits",
    "SELECT diagnosis, COUNT(*), SUM(cost) AS s, AVG(cost) AS a FROM visits GROUP BY diagnosis",
    "SELECT * FROM visits",
    "SELECT patient_id FROM visits",
    "SELECT patient_id, COUNT(*) FROM visits GROUP BY patient_id",
    "SELECT diagnosis FROM visits",
    "SELECT MAX(cost) FROM visits",
    "SELECT MIN(diagnosis) FROM visits",
    "SELECT SUM(diagnosis) FROM visits",
    "SELECT AVG(CAST(diagnosis AS INTEGER)) FROM visits",
    "SELECT COUNT(*) / 0 FROM visits",
    "SELECT COUNT(*) FROM visits WHERE diagnosis = 5",
    "SELECT COUNT(*) FROM visits WHERE cost = 'x'",
    "SELECT COUNT(*) FROM visits WHERE CAST(diagnosis AS INT) > 1",
    "SELECT COUNT(*) FROM visits WHERE 1 / (cost - 0.25) > 0",
    "SELECT STRING_AGG(diagnosis, ',') FROM visits",
    "SELECT DISTINCT diagnosis FROM visits",
    "SELECT COUNT(DISTINCT diagnosis) FROM visits",
    "SELECT diagnosis, COUNT(*) FROM visits GROUP BY cost",
    "SELECT COUNT(*) FROM visits; SELECT * FROM visits",
    "SELECT COUNT(*) FROM visits WHERE visited < '2023-99-99'",
    "COPY visits TO '/tmp/x'",
];

#[test]
fn no_canary_leaves_by_the_postgresql_door() {
    let lab = Lab::new(&canary_policy(), &canaries(), Arc::new(OpenDp), "4");
    let door = Served::new(&lab.service);
    let (mut client, notices) = door.ada(&lab);
    client.batch_execute("SET tacit.epsilon = '0.02'").expect("set");
    for sql in QUESTIONS {
        for said in [format!("{:?}", client.simple_query(sql)), format!("{:?}", client.query(sql, &[]))] {
            assert!(is_clean(&said), "{sql}: {said}");
        }
    }
    let said = notices.lock().expect("notices");
    assert!(!said.is_empty() && said.iter().all(|(message, detail)| is_clean(message) && is_clean(detail)), "{said:?}");
}

#[test]
fn no_canary_leaves() {
    let log = Log::default();
    tacit::telemetry::start_with({
        let log = log.clone();
        move || log.clone()
    });
    block_on(async {
        let lab = Lab::new(&canary_policy(), &canaries(), Arc::new(OpenDp), "4");
        let mut seen = 0;
        for sql in QUESTIONS {
            for path in ["/v1/quotes", "/v1/queries"] {
                for accuracy in [
                    json!({"sql": sql, "epsilon": "0.05"}),
                    json!({"sql": sql, "margin": "0.0001"}),
                    json!({"sql": sql, "epsilon": 1}),
                ] {
                    for accept in ["application/json", "text/csv", "application/xml"] {
                        let headers = [("accept", accept)];
                        let reply = call(
                            &lab.router,
                            Method::POST,
                            path,
                            Some(&lab.researcher),
                            &headers,
                            accuracy.to_string(),
                        )
                        .await;
                        let text = format!("{:?} {}", reply.headers, String::from_utf8_lossy(&reply.bytes));
                        assert!(is_clean(&text), "{sql} as {accept}: {text}");
                        seen += 1;
                    }
                }
            }
        }
        for path in
            ["/v1/datasets", "/v1/datasets/visits", "/v1/accounts", "/v1/releases", "/v1/ledger", "/openapi.json"]
        {
            for token in [&lab.steward, &lab.researcher, &lab.viewer] {
                let reply = lab.get(path, token).await;
                assert!(is_clean(&String::from_utf8_lossy(&reply.bytes)), "{path}");
                seen += 1;
            }
        }
        assert!(seen > 300);
        let burnt = [failures_are_silent(&lab).await, noise_fails().await];
        every_burnt_answer_is_logged(&log, &burnt);
    });
    let lines = String::from_utf8(log.0.lock().expect("the log").clone()).expect("UTF-8");
    assert!(is_clean(&lines), "a canary in the log");
}

/// The operator's log has a line for each burnt answer, with the id of its release and the cause in our own words.
fn every_burnt_answer_is_logged(log: &Log, burnt: &[(String, &str)]) {
    let lines = String::from_utf8(log.0.lock().expect("the log").clone()).expect("UTF-8");
    for (release, cause) in burnt {
        let of_release = lines.lines().filter(|line| line.contains(release.as_str()));
        let events: Vec<Value> = of_release.map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
        let causes: Vec<_> = events.iter().map(|event| &event["fields"]["cause"]).collect();
        assert_eq!(causes, [cause], "{release}: {lines}");
    }
}

/// A question whose noise cannot be drawn: the id of its release, and the cause that the log should name.
async fn noise_fails() -> (String, &'static str) {
    let lab = Lab::new(&canary_policy(), &canaries(), Arc::new(BrokenNoise), "1");
    let reply = lab.sql(QUESTIONS[0], "0.05").await;
    assert_eq!(reply.code(), "unanswered");
    (reply.json()["release"].as_str().expect("an id").to_owned(), "no-noise")
}

/// The engine panics with a canary in its message: the question is charged and burnt, and reveals nothing. Returns the id of the
/// release, and the cause that the log should name.
async fn failures_are_silent(lab: &Lab) -> (String, &'static str) {
    let ledger = Arc::new(tacit::ledger::SqliteLedger::open(&lab.dir.path().join("other"), 0).expect("a ledger"));
    let ports = tacit::service::Ports {
        ledger: Arc::clone(&ledger) as Arc<dyn tacit::kernel::budget::ledger::Ledger>,
        engine: Arc::new(Blabbing),
        noise: Arc::new(OpenDp),
        clock: Arc::new(crate::support::StoppedClock),
    };
    let dataset = lab.service.dataset("visits").expect("a dataset").clone();
    let loaded = tacit::query::terms::policy::Policy::load(&lab.dir.path().join("policy.toml")).expect("a policy");
    crate::support::seal_and_publish(&ledger, &loaded, &lab.dir.path().join("other"));
    let token = tacit::service::stewarding::people::add_person(
        ledger.as_ref(),
        "ada",
        tacit::kernel::budget::people::Role::Researcher,
        "a test",
        0,
    )
    .expect("ada");
    crate::support::grant(ledger.as_ref(), "ada", "visits", "4");
    let router = tacit::http::router(
        Arc::new(tacit::service::Service::new(ports, vec![dataset])),
        tacit::http::Settings::default(),
    );
    let body = json!({"sql": QUESTIONS[0], "epsilon": "0.05"}).to_string();
    let key = [("idempotency-key", "k1")];
    for _ in 0..2 {
        let reply = call(&router, Method::POST, "/v1/queries", Some(token.text()), &key, body.clone()).await;
        assert_eq!(reply.code(), "unanswered");
        assert!(is_clean(&String::from_utf8_lossy(&reply.bytes)));
    }
    let burnt = tacit::kernel::budget::ledger::read(ledger.as_ref(), |book| book.releases().len());
    assert_eq!(burnt, 1, "the same key is not charged twice");
    let ids = |book: &tacit::kernel::budget::state::LedgerState| book.releases()[0].id.clone();
    (tacit::kernel::budget::ledger::read(ledger.as_ref(), ids), "panicked")
}

#[test]
fn noise_that_fails_burns_the_charge() {
    let lab = Lab::new(&policy(GAUSSIAN), &visits(20), Arc::new(BrokenNoise), "1");
    let reply = block_on(lab.sql(QUESTIONS[0], "0.05"));
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (500, "unanswered"));
    let account = tacit::kernel::budget::ledger::read(lab.service.ledger(), |book| {
        book.researcher("visits", "ada").expect("ada").clone()
    });
    assert!(account.spent > tacit::kernel::privacy::amounts::Price::ZERO, "the charge stands");
}

/// If sealing stops because of canaries, the error says where they are and how many, but never shows them.
#[test]
fn no_canary_leaves_with_a_sealing_that_stops() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("visits.csv"), canaries()).expect("a source");
    let listed = canary_policy().replace(
        "values = [\"asthma\", \"copd\", \"flu\"]\nnullable = true",
        "values = [\"asthma\", \"copd\", \"flu\"]",
    );
    let typed = canary_policy().replace(
        "name = \"diagnosis\"\ntype = \"category\"\nvalues = [\"asthma\", \"copd\", \"flu\"]",
        "name = \"diagnosis\"\ntype = \"integer\"\nmin = \"0\"\nmax = \"9\"",
    );
    let dated = canary_policy().replace(
        "name = \"cost\"\ntype = \"decimal\"\nmin = \"0\"\nmax = \"10000000\"\nstep = \"0.01\"",
        "name = \"cost\"\ntype = \"date\"\nmin = 2020-01-01\nmax = 2021-01-01",
    );
    for (text, words) in [
        (listed, "missing"),
        (typed, "not of type integer"),
        (dated, "not of type date"),
        (canary_policy(), "rows read"),
    ] {
        std::fs::write(dir.path().join("policy.toml"), text).expect("a policy");
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_tacit"))
            .current_dir(dir.path())
            .args(["seal", "policy.toml", "--state", "state"])
            .output()
            .expect("the binary");
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(said.contains(words) && is_clean(&said), "{said}");
        assert_eq!(dir.path().join("state").exists(), output.status.success(), "what stops leaves nothing behind");
    }
}
