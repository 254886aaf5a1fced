//! Twins: two servers on neighbouring tables, where the noisy values of one are replayed on the other. Everything that anyone can observe
//! must then be equal byte for byte: status, headers, body, key sets, sizes, ledger, log.
//!
//! Ids, and hashes over them, are random by construction; they are compared by the order of their first occurrence, and by their length.

mod pairs;
mod random;
mod several;

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::http::Method;
use dashu::integer::IBig;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use tacit::kernel::privacy::mechanism::NoiseLaw;
use tacit::kernel::vault::noise::{NoiseFault, NoiseSource, OpenDp};
use tacit::kernel::vault::private::Private;
use tacit::query::file::QueryFile;

use crate::canary::Log;
use crate::support::{Lab, Reply, call};
use pairs::Pair;

/// Number of generated queries per pair and per role of its twins; `TACIT_TWINS` overrides it.
const QUESTIONS: usize = 30;
const SEED: u64 = 22;
const FORMATS: [&str; 4] =
    ["application/json", "text/csv", "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"];

/// Noisy vectors on their way from one twin to the other.
type Tape = Arc<Mutex<VecDeque<Vec<IBig>>>>;

/// A noise source that adds real noise and records the result.
struct Recording(Tape);

impl NoiseSource for Recording {
    fn draw(&self, law: &NoiseLaw, cells: usize) -> Result<Vec<IBig>, NoiseFault> {
        OpenDp.draw(law, cells)
    }

    fn add(&self, law: &NoiseLaw, exact: Private<Vec<i64>>) -> Result<Vec<IBig>, NoiseFault> {
        let noisy = OpenDp.add(law, exact)?;
        self.0.lock().expect("the tape").push_back(noisy.clone());
        Ok(noisy)
    }
}

/// A noise source that returns what the other twin recorded, and cannot look at its own vector.
struct Replaying(Tape);

impl NoiseSource for Replaying {
    fn draw(&self, _: &NoiseLaw, _: usize) -> Result<Vec<IBig>, NoiseFault> {
        Err(NoiseFault)
    }

    fn add(&self, _: &NoiseLaw, _: Private<Vec<i64>>) -> Result<Vec<IBig>, NoiseFault> {
        self.0.lock().expect("the tape").pop_front().ok_or(NoiseFault)
    }
}

/// Writes the sources of either of two neighbours into a folder: with the unit, or without it.
type WriteSources<'a> = dyn Fn(&Path, bool) + Send + Sync + 'a;

/// Two neighbouring datasets under one policy.
struct Scene<'a> {
    name: &'static str,
    dataset: &'static str,
    policy: &'a str,
    write: Box<WriteSources<'a>>,
}

impl<'a> Scene<'a> {
    /// Two tables of visits.
    fn of_visits(policy: &'a str, pair: &'a Pair) -> Self {
        let write = Box::new(|dir: &Path, has_unit| pair.write(&dir.join("visits.parquet"), has_unit));
        Self { name: pair.name, dataset: "visits", policy, write }
    }
}

/// One server, with a log of its own.
struct Twin {
    dataset: &'static str,
    lab: Lab,
    log: Log,
    runtime: tokio::runtime::Runtime,
    seen: Vec<Reply>,
}

impl Twin {
    fn new(scene: &Scene<'_>, has_unit: bool, noise: Arc<dyn NoiseSource>) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        (scene.write)(dir.path(), has_unit);
        let lab = Lab::over(dir, scene.policy, noise, "100");
        let log = Log::default();
        // Every thread of this runtime writes to this log.
        let writer = log.clone();
        let subscriber = Arc::new(tacit::telemetry::subscriber(move || writer.clone()));
        let dispatch = tracing::Dispatch::from(subscriber as Arc<dyn tracing::Subscriber + Send + Sync>);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .on_thread_start(move || std::mem::forget(tracing::dispatcher::set_default(&dispatch)))
            .build()
            .expect("a runtime");
        Self { dataset: scene.dataset, lab, log, runtime, seen: Vec::new() }
    }

    fn ask(&mut self, path: &str, headers: &[(&str, &str)], body: &str) -> &Reply {
        let asked = body;
        let (router, token, path, body) =
            (self.lab.router.clone(), self.lab.researcher.clone(), path.to_owned(), body.to_owned());
        let headers: Vec<(String, String)> =
            headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        // Runs on the runtime's own threads, so that log lines go to this log.
        let call = self.runtime.spawn(async move {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            call(&router, Method::POST, &path, Some(&token), &headers, body).await
        });
        let reply = self.runtime.block_on(call).expect("a reply");
        assert!(
            !reply.status.is_server_error(),
            "a failure of one side would look like one of the other's tape: {} of {asked}",
            String::from_utf8_lossy(&reply.bytes)
        );
        self.seen.push(reply);
        self.seen.last().expect("a reply")
    }

    fn get(&mut self, path: &str) {
        for token in [&self.lab.steward, &self.lab.researcher] {
            let reply =
                self.runtime.block_on(call(&self.lab.router, Method::GET, path, Some(token), &[], String::new()));
            self.seen.push(reply);
        }
    }

    /// Everything that was observed, with ids replaced by numbers.
    fn observed(mut self) -> Vec<Vec<u8>> {
        self.get(&format!("/v1/datasets/{}", self.dataset));
        for path in ["/v1/datasets", "/v1/accounts", "/v1/releases?limit=1000", "/readyz", "/openapi.json"] {
            self.get(path);
        }
        let id = |reply: &Reply| {
            let body: serde_json::Value = serde_json::from_slice(&reply.bytes).ok()?;
            Some(body.get("release")?.as_str()?.to_owned())
        };
        let releases: Vec<String> = self.seen.iter().filter_map(id).take(10).collect();
        releases.iter().for_each(|id| self.get(&format!("/v1/releases/{id}")));
        let planted = self.runtime.spawn(async { tracing::warn!(target: "tacit::planted", "planted") });
        self.runtime.block_on(planted).expect("a line");
        let last = self.lab.head().0;
        (0..last).step_by(1000).for_each(|after| self.get(&format!("/v1/ledger?limit=1000&after={after}")));
        let mut ids = HashMap::new();
        let mut observed: Vec<Vec<u8>> = Vec::new();
        for reply in &self.seen {
            let head = format!("{} {:?} {}\n", reply.status, reply.headers, reply.bytes.len());
            observed.push(numbered(&[head.as_bytes(), &reply.bytes].concat(), &mut ids));
        }
        let log = String::from_utf8(self.log.0.lock().expect("the log").clone()).expect("UTF-8");
        assert!(log.contains("planted"), "lines of this runtime arrive");
        for line in log.lines() {
            let mut line: serde_json::Value = serde_json::from_str(line).expect("a JSON line");
            line.as_object_mut().expect("an object").remove("timestamp");
            observed.push(numbered(line.to_string().as_bytes(), &mut ids));
        }
        observed
    }
}

/// Replaces every run of at least 32 hexadecimal digits by the number of its first occurrence and its length.
fn numbered(bytes: &[u8], ids: &mut HashMap<Vec<u8>, usize>) -> Vec<u8> {
    let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let run = bytes[at..].iter().take_while(|byte| is_hex(byte)).count();
        if run >= 32 {
            let next = ids.len();
            let number = *ids.entry(bytes[at..at + run].to_vec()).or_insert(next);
            out.extend(format!("<{number}:{run}>").into_bytes());
        } else {
            out.extend(&bytes[at..(at + run.max(1)).min(bytes.len())]);
        }
        at += run.max(1);
    }
    out
}

/// A request: path, accepted format and body.
type Request = (&'static str, &'static str, String);

/// The number of random questions for each pair and role.
fn wanted() -> usize {
    std::env::var("TACIT_TWINS").ok().and_then(|text| text.parse().ok()).unwrap_or(QUESTIONS)
}

/// A random question as a request; most are answered.
fn request(rng: &mut StdRng, sql: &str) -> Request {
    let mut body = json!({"sql": sql});
    match rng.random_range(0..20) {
        0 => body["margin"] = json!("5000"),
        1 => body["epsilon"] = json!("99"),
        _ => body["epsilon"] = json!("0.0005"),
    }
    if rng.random_bool(0.2) {
        body["rows_per_unit"] = json!(rng.random_range(0..10));
    }
    let path = if rng.random_bool(0.1) { "/v1/quotes" } else { "/v1/queries" };
    (path, FORMATS.choose(rng).expect("one"), body.to_string())
}

/// Questions about visits, those of the query files first.
fn questions(seed: u64) -> Vec<Request> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut questions = Vec::new();
    for folder in ["queries", "queries/refused"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut files: Vec<_> =
            std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
        files.sort();
        for path in files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "sql")) {
            let file = QueryFile::parse(&std::fs::read_to_string(path).expect("a file")).expect("a query file");
            let body = json!({"sql": file.sql, "epsilon": file.epsilon, "margin": file.margin}).to_string();
            questions.push(("/v1/quotes", FORMATS[0], body.clone()));
            questions.push(("/v1/queries", FORMATS[0], body));
        }
    }
    let terms = tacit::query::terms::policy::Policy::parse(&pairs::policy()).expect("a policy").terms;
    questions.extend((0..wanted()).map(|_| {
        let sql = random::affordable(&mut rng, "visits", &terms);
        request(&mut rng, &sql)
    }));
    questions
}

/// What twins showed that did not differ.
#[derive(Default, Clone, Copy)]
struct Totals {
    requests: usize,
    answers: usize,
    bytes: usize,
}

/// Compares everything that one pair of twins shows, and fails if they differ.
fn check(scene: &Scene<'_>, has_unit: bool, questions: Vec<Request>) -> Totals {
    let tape = Tape::default();
    // Either of the two may be the one with the real noise.
    let mut one = Twin::new(scene, has_unit, Arc::new(Recording(Arc::clone(&tape))));
    let mut other = Twin::new(scene, !has_unit, Arc::new(Replaying(Arc::clone(&tape))));
    let mut answers = 0;
    for (path, accept, body) in questions {
        // Both are asked in step, so that the tape never runs ahead.
        let status = one.ask(path, &[("accept", accept)], &body).status;
        other.ask(path, &[("accept", accept)], &body);
        answers += usize::from(path == "/v1/queries" && status.is_success());
    }
    assert!(answers > 15, "{}: most questions are answered, not refused", scene.name);
    assert!(tape.lock().expect("the tape").is_empty(), "{}: as many draws on both sides", scene.name);
    let (one, other) = (one.observed(), other.observed());
    for (one, other) in one.iter().zip(&other) {
        assert!(one == other, "{}:\n{}\n{}", scene.name, String::from_utf8_lossy(one), String::from_utf8_lossy(other));
    }
    assert_eq!(one.len(), other.len(), "{}: as many log lines", scene.name);
    Totals { requests: one.len(), answers, bytes: one.iter().map(Vec::len).sum() }
}

/// Compares what twins of every pair show, in each role, with questions that are made from a seed.
fn check_all(scenes: &[Scene<'_>], questions: impl Fn(u64) -> Vec<Request> + Sync) {
    let next = Mutex::new(scenes.iter().enumerate());
    let totals = Mutex::new(Totals::default());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let scene = next.lock().expect("pairs").next();
                    let Some((number, scene)) = scene else { return };
                    for has_unit in [false, true] {
                        let seed = SEED + 2 * number as u64 + u64::from(has_unit);
                        let own = check(scene, has_unit, questions(seed));
                        let mut totals = totals.lock().expect("totals");
                        totals.requests += own.requests;
                        totals.answers += own.answers;
                        totals.bytes += own.bytes;
                    }
                }
            });
        }
    });
    let Totals { requests, answers, bytes } = *totals.lock().expect("totals");
    println!(
        "{} pairs of twins: {requests} observations, {answers} answers, {bytes} bytes, 0 differences",
        scenes.len()
    );
}

#[test]
fn nothing_that_anyone_can_observe_differs_between_neighbours() {
    let (pairs, policy) = (pairs::pairs(), pairs::policy());
    assert!(pairs.len() >= 27);
    let scenes: Vec<_> = pairs.iter().map(|pair| Scene::of_visits(&policy, pair)).collect();
    check_all(&scenes, questions);
}

/// Groups found in the data: neighbours in which the same texts occur show the same groups, whatever their counts. How often a text that
/// only one unit has is shown is measured in `texts`.
#[test]
fn groups_that_both_neighbours_have_show_the_same() {
    let policy = pairs::policy_of_texts();
    let questions = [
        "SELECT drug, COUNT(*) AS n FROM visits GROUP BY drug",
        "SELECT drug, COUNT(DISTINCT patient_id) AS p, AVG(cost) AS m FROM visits WHERE smoker GROUP BY drug ORDER BY p DESC",
        "SELECT drug, SUM(age) AS s, COUNT(hba1c) AS h, VAR_SAMP(cost) AS v FROM visits GROUP BY drug HAVING COUNT(*) > 2",
        "SELECT drug, COUNT(*) FILTER (WHERE age > 40) AS n FROM visits WHERE region <> 'east' GROUP BY drug LIMIT 2",
        "SELECT drug, GROUPING(drug) AS g, COUNT(*) AS n FROM visits GROUP BY ROLLUP (drug)",
        "SELECT drug FROM visits GROUP BY drug",
        "SELECT COUNT(*) AS n FROM visits WHERE drug = 'aspirin'",
        "EXPLAIN SELECT drug, COUNT(*) AS n FROM visits GROUP BY drug",
    ];
    let mut shown = 0;
    for pair in pairs::pairs_of_texts() {
        let scene = Scene::of_visits(&policy, &pair);
        for has_unit in [false, true] {
            let tape = Tape::default();
            let mut one = Twin::new(&scene, has_unit, Arc::new(Recording(Arc::clone(&tape))));
            let mut other = Twin::new(&scene, !has_unit, Arc::new(Replaying(Arc::clone(&tape))));
            // At the largest ε a group is sometimes shown: nine people are in it, and the noise is small.
            for epsilon in ["0.01", "1", "90"] {
                for sql in questions {
                    let body = json!({"sql": sql, "epsilon": epsilon}).to_string();
                    let path = if sql.len() % 2 == 0 { "/v1/queries" } else { "/v1/quotes" };
                    for path in [path, "/v1/queries"] {
                        let reply = one.ask(path, &[], &body);
                        let has_rows = reply.status.is_success() && path == "/v1/queries";
                        shown += if has_rows { reply.rows().len() } else { 0 };
                        other.ask(path, &[], &body);
                    }
                }
            }
            assert!(tape.lock().expect("the tape").is_empty(), "{}: as many draws on both sides", pair.name);
            let (one, other) = (one.observed(), other.observed());
            let same = one.iter().zip(&other).all(|(one, other)| one == other);
            assert!(same && one.len() == other.len(), "{}", pair.name);
        }
    }
    assert!(shown > 100, "groups are shown: {shown}");
}

/// A control: without the replay, the same harness sees a difference.
#[test]
fn twins_whose_noise_is_their_own_are_told_apart() {
    let (pairs, policy) = (pairs::pairs(), pairs::policy());
    told_apart(&Scene::of_visits(&policy, &pairs[0]), "SELECT COUNT(*) AS n FROM visits");
}

/// Fails unless the answers of twins with noise of their own are seen to differ.
fn told_apart(scene: &Scene<'_>, sql: &str) {
    let mut one = Twin::new(scene, false, Arc::new(OpenDp));
    let mut other = Twin::new(scene, true, Arc::new(OpenDp));
    let body = json!({"sql": sql, "epsilon": "0.5"}).to_string();
    one.ask("/v1/queries", &[], &body);
    other.ask("/v1/queries", &[], &body);
    assert_ne!(one.observed(), other.observed());
}

/// The shipped binary contains no test double of the noise, and no setting could choose one: the sources have one noise source, and only
/// `startup` names it.
#[test]
fn the_shipped_binary_has_one_source_of_noise() {
    let mut sources = Vec::new();
    let mut named = Vec::new();
    for (path, text) in crate::tidy::sources("src") {
        sources.extend(text.lines().filter(|line| line.contains("NoiseSource for ")).map(str::to_owned));
        if text.lines().any(|line| line.contains("noise: Arc::new(")) {
            named.push(path.file_name().expect("a name").to_string_lossy().into_owned());
        }
        // Passwords of source databases are read from where libpq looks for them, and the command line looks at what the terminal can show and
        // where its history is kept. None of it is related to noise.
        let unrelated = ["src/engine/seal/source/open.rs", "src/terminal/screen.rs", "src/cli/prompt/editor.rs"];
        let is_unrelated = unrelated.iter().any(|one| path.ends_with(one));
        // Tests are not in the binary.
        let is_test = path.to_string_lossy().ends_with("_tests.rs");
        assert!(is_unrelated || is_test || !text.contains("env::var"), "{} reads the environment", path.display());
    }
    assert_eq!(sources, ["impl NoiseSource for OpenDp {"]);
    assert_eq!(named, ["startup.rs"]);
}
