//! `kill -9` of the real binary under load, fifty times or more: whatever a client saw is charged and remains.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tacit::kernel::vault::noise::OpenDp;

use crate::support::{GAUSSIAN, Lab, policy, visits};

/// Number of kills; `TACIT_KILLS` asks for more.
const KILLS: usize = 50;
const CLIENTS: usize = 4;
const SEED: u64 = 50;

pub struct Server {
    pub child: Child,
    pub url: String,
}

/// Starts the binary on a port that the system chooses, and waits for its address.
pub fn start(config: &Path) -> Server {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tacit"))
        .args(["serve", "--config"])
        .arg(config)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary");
    let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
    let line = lines
        .find(|line| line.as_ref().is_ok_and(|line| line.contains("serves on")))
        .expect("an address")
        .expect("text");
    std::thread::spawn(move || lines.for_each(drop));
    let url = line.rsplit(' ').next().expect("an address").to_owned();
    Server { child, url }
}

pub fn ask(agent: &ureq::Agent, url: &str, token: &str, key: &str, body: &str) -> Option<(u16, Vec<u8>)> {
    let request = agent
        .post(format!("{url}/v1/queries"))
        .header("Authorization", format!("Bearer {token}"))
        .header("Idempotency-Key", key);
    let mut response = request.send(body).ok()?;
    let status = response.status().as_u16();
    Some((status, response.body_mut().read_to_vec().ok()?))
}

pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into()
}

fn body(number: usize) -> String {
    json!({"sql": format!("SELECT COUNT(*) FROM visits WHERE cost >= {}.{:02}", number / 100, number % 100), "epsilon": "0.001"}).to_string()
}

#[test]
fn kills_lose_nothing_that_was_seen() {
    let Lab { dir, service, router, researcher: token, steward, .. } =
        Lab::new(&policy(GAUSSIAN), &visits(100), Arc::new(OpenDp), "4");
    drop((service, router));
    let config = dir.path().join("tacit.toml");
    std::fs::write(&config, "listen = \"127.0.0.1:0\"\nstate_dir = \"state\"\npolicies = [\"policy.toml\"]\n")
        .expect("a configuration");
    let seen: Arc<Mutex<HashMap<usize, Vec<u8>>>> = Arc::default();
    let next = Arc::new(AtomicUsize::new(0));
    let mut rng = StdRng::seed_from_u64(SEED);
    let kills = std::env::var("TACIT_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    for _ in 0..kills {
        let mut server = start(&config);
        check_some(&server.url, &token, &seen.lock().expect("seen"), &mut rng);
        let enough = rng.random_range(0..12);
        let answered = Arc::new(AtomicUsize::new(0));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (url, token, seen) = (server.url.clone(), token.clone(), Arc::clone(&seen));
                let (next, answered) = (Arc::clone(&next), Arc::clone(&answered));
                std::thread::spawn(move || {
                    let agent = agent();
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        match ask(&agent, &url, &token, &number.to_string(), &body(number)) {
                            Some((200, bytes)) => {
                                seen.lock().expect("seen").insert(number, bytes);
                                answered.fetch_add(1, Ordering::Relaxed);
                            }
                            Some((status, bytes)) => panic!("{status}: {}", String::from_utf8_lossy(&bytes)),
                            None => break,
                        }
                    }
                })
            })
            .collect();
        while answered.load(Ordering::Relaxed) < enough {
            std::thread::yield_now();
        }
        server.child.kill().expect("killed");
        server.child.wait().expect("gone");
        for client in clients {
            client.join().expect("a client");
        }
    }
    let mut server = start(&config);
    let asked = next.load(Ordering::Relaxed);
    let again =
        |number: usize| ask(&agent(), &server.url, &token, &number.to_string(), &body(number)).expect("a reply");
    let unanswered = (0..asked).filter(|number| {
        let (first, second) = (again(*number), again(*number));
        assert_eq!(first, second, "a retry of {number} is what it was");
        assert!(matches!(first.0, 200 | 500), "{}", String::from_utf8_lossy(&first.1));
        first.0 == 500
    });
    println!("{kills} kills: of {asked} questions {} were charged and not answered", unanswered.count());
    let spent = check_all(&server.url, &token, &steward, &seen.lock().expect("seen"), asked);
    server.child.kill().expect("killed");
    server.child.wait().expect("gone");
    let ledger = tacit::ledger::SqliteLedger::open(&dir.path().join("state"), 0).expect("a ledger");
    let account =
        tacit::kernel::budget::ledger::read(&ledger, |book| book.researcher("visits", "ada").expect("ada").clone());
    assert_eq!(account.spent.quanta(), spent, "spent is the sum of the charges");
}

/// Repeats a few of the answered requests under their idempotency keys, and compares the answers.
fn check_some(url: &str, token: &str, seen: &HashMap<usize, Vec<u8>>, rng: &mut StdRng) {
    for (number, bytes) in seen.iter().filter(|_| rng.random_range(0..20) == 0).take(5) {
        let again = ask(&agent(), url, token, &number.to_string(), &body(*number)).expect("a reply");
        assert_eq!((again.0, &again.1), (200, bytes), "question {number}");
    }
}

/// Checks that there is one charge for each key, that each was completed, and that every answer seen is still there; returns the total
/// charged.
fn check_all(url: &str, token: &str, steward: &str, seen: &HashMap<usize, Vec<u8>>, asked: usize) -> u64 {
    let client = tacit::client::Client::new(url, Some(steward));
    let (mut after, mut spent, mut charged, mut ended) = (0, 0_u64, HashMap::new(), 0_usize);
    loop {
        let page = client.get(&format!("/v1/ledger?limit=1000&after={after}")).expect("entries");
        let entries = page.as_array().expect("a list");
        for entry in entries {
            after = entry["seq"].as_u64().expect("a number");
            match entry["act"].as_str() {
                Some("charged" | "charged-by-path") => {
                    spent += entry["legs"]["dataset"].as_u64().expect("a price");
                    charged.insert(entry["release"].as_str().expect("an id").to_owned(), spent);
                }
                Some("released" | "burned") => ended += 1,
                _ => {}
            }
        }
        if entries.len() < 1000 {
            break;
        }
    }
    assert_eq!(ended, charged.len(), "every charge has ended, in an answer or burnt");
    for (number, bytes) in seen {
        let answer: Value = serde_json::from_slice(bytes).expect("an answer");
        assert!(charged.contains_key(answer["release"].as_str().expect("an id")), "question {number} was charged");
        let again = ask(&agent(), url, token, &number.to_string(), &body(*number)).expect("a reply");
        assert_eq!((again.0, &again.1), (200, bytes), "question {number}");
    }
    assert_eq!(charged.len(), asked, "one charge a key");
    assert!(!seen.is_empty());
    spent
}
