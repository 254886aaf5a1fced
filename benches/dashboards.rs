//! Dashboards and stewards: a published statistic against a bare handler of the same bytes, and the console's pages over a ledger of a
//! million entries.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use axum::response::Response;
use criterion::{Criterion, Throughput};
use tacit::engine::PolarsEngine;
use tacit::kernel::budget::entry::{Act, SingleAct};
use tacit::kernel::budget::ledger::{Ledger, read};
use tacit::kernel::budget::people::Role;
use tacit::kernel::clock::SystemClock;
use tacit::kernel::privacy::amounts::Epsilon;
use tacit::kernel::vault::noise::OpenDp;
use tacit::ledger::SqliteLedger;
use tacit::query::file::QueryFile;
use tacit::query::terms::policy::Policy;
use tacit::service::publishing::schedule::CalendarZone;
use tacit::service::publishing::statistics::confirm;
use tacit::service::stewarding::grants::{self, Grant, Holder};
use tacit::service::stewarding::people;
use tacit::service::{Ports, Service};
use tower::ServiceExt;

use crate::ledger::{PAIRS, pairs, prepare};
use crate::{many, record};

const STATISTIC: &str = "-- title: Visits by cost\n-- margin: 60000\n-- public: true\n-- chart: bar\n\
                         SELECT COUNT(*) AS visits, WIDTH_BUCKET(cost, 0, 5000, 20) AS bucket FROM visits GROUP BY bucket";

/// Tokens of a steward and of a researcher, and the routes over what [`prepare`] left.
fn open(dir: &Path) -> (Arc<Service>, String) {
    let (policy, state) = (Policy::load(&dir.join("policy.toml")).expect("a policy"), dir.join("state"));
    let ledger = SqliteLedger::open(&state, 0).expect("a ledger");
    let boss = people::add_person(&ledger, "sam", Role::Steward, "bench", 0).expect("sam").text().to_owned();
    let (to, dataset) = (Holder::Dataset, "visits".to_owned());
    let grant = |to, epsilon: &str| Grant {
        to,
        dataset: dataset.clone(),
        epsilon: Epsilon::parse(epsilon).expect("ε"),
        reason: "bench".into(),
        by: "bench".into(),
    };
    grants::grant(&ledger, grant(to, "8"), 0).expect("a grant");
    grants::grant(&ledger, grant(Holder::Statistics { period_days: None }, "1"), 0).expect("a grant");
    let mut engine = PolarsEngine::new();
    let datasets = tacit::startup::load(&state, &ledger, &mut engine, policy).expect("datasets");
    let (ledger, engine) = (Arc::new(ledger), Arc::new(engine));
    let ports = Ports { ledger, engine, noise: Arc::new(OpenDp), clock: Arc::new(SystemClock) };
    let file = QueryFile::parse(STATISTIC).expect("a file");
    let service = Service::new(ports, datasets).publishing(vec![("by-cost.sql".into(), file)], CalendarZone::default());
    let service = service.expect("a statistic");
    let by_cost = service.statistic("by-cost").expect("a statistic");
    confirm(service.ledger(), by_cost, "bench", 0).expect("confirmed");
    (Arc::new(service), boss)
}

async fn listen(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a listener");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(tacit::net::listener::serve(listener, router, std::future::pending()));
    address
}

pub fn statistic(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    let _ = prepare(dir.path());
    let (service, _) = open(dir.path());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let router = tacit::http::router(Arc::clone(&service), tacit::http::Settings::default());
    let (ours, bare, bytes) = runtime.block_on(async {
        let released = service.refresh_due().await;
        assert_eq!(released.len(), 1, "{released:?}");
        let request = Request::get("/v1/statistics/by-cost").body(Body::empty()).expect("a request");
        let answer = router.clone().oneshot(request).await.expect("an answer");
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.expect("bytes");
        let (kept, kind) = (bytes.clone(), [(header::CONTENT_TYPE, "application/json")]);
        let handler = axum::routing::get(move || async move { (kind, kept) });
        let bare = Router::new().route("/v1/statistics/by-cost", handler);
        (listen(router).await, listen(bare).await, bytes.len())
    });
    let request: Arc<str> = "GET /v1/statistics/by-cost HTTP/1.1\r\nHost: bench\r\n\r\n".into();
    let mut group = criterion.benchmark_group(format!("a statistic of {bytes} bytes over HTTP, 32 connections"));
    group.throughput(Throughput::Elements(1)).measurement_time(Duration::from_secs(10));
    for (name, address) in [
        ("a bare axum handler of the same bytes (the baseline)", bare),
        ("the statistic (at least 0.7 of its requests a second)", ours),
        ("the bare handler once more", bare),
    ] {
        group.bench_function(name, |bench| {
            bench.iter_custom(|count| runtime.block_on(many(address, Arc::clone(&request), count as usize)));
        });
    }
}

const PAGES: [(&str, &str); 20] = [
    ("steward", "/accounts"),
    ("steward", "/what-if"),
    ("steward", "/requests"),
    ("steward", "/people"),
    ("steward", "/statistics"),
    ("steward", "/ledger"),
    ("steward", "/ledger?act=charged"),
    ("steward", "/ledger?find=nowhere+to+be+found"),
    ("steward", "/ledger?person=p05000"),
    ("steward", "/ledger?person=nobody&dataset=visits"),
    ("steward", "/ledger?person=ada&dataset=visits&act=released&find=nowhere"),
    ("steward", "/ledger?from=1970-01-01&to=1970-01-01&act=granted"),
    ("steward", "/accounts?find=p0999"),
    ("steward", "/accounts?dataset=visits&after=p05000"),
    ("steward", "/metrics"),
    ("researcher", "/ask"),
    ("researcher", "/history"),
    ("researcher", "/history?before=500000"),
    ("researcher", "/accounts"),
    ("researcher", "/transparency/visits"),
];

/// Adds ten thousand researchers, each with an account, in one entry.
fn crowd(ledger: &dyn Ledger) {
    let accountant = read(ledger, |book| book.dataset("visits").expect("a dataset").cap.accountant);
    let epsilon = Epsilon::parse("0.001").expect("ε");
    let acts = (0..10_000).flat_map(|number| {
        let (name, by) = (format!("p{number:05}"), "bench".to_owned());
        let token = *blake3::hash(name.as_bytes()).as_bytes();
        let granted = Act::Granted {
            researcher: name.clone(),
            dataset: "visits".into(),
            project: None,
            epsilon,
            amount: accountant.cap(epsilon),
            period_days: None,
            reason: "bench".into(),
            by: by.clone(),
        };
        [Act::PersonAdded { name, role: Role::Researcher, token, by }, granted].map(SingleAct)
    });
    let (reason, by) = ("bench".to_owned(), "bench".to_owned());
    let applied = Act::Applied { reason, by, managed: Vec::new(), acts: acts.collect() };
    ledger.act(Box::new(move |_| Some(applied)), 0).expect("ten thousand accounts").expect("an entry");
}

/// Each page of the console over a ledger of a million entries and ten thousand accounts: the median and the slowest of thirty looks.
pub fn console(_: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    let templates = prepare(dir.path());
    let state = dir.path().join("state");
    let ledger = SqliteLedger::open(&state, 0).expect("a ledger");
    pairs(&ledger, &templates, &AtomicU64::new(0), 256, PAIRS);
    people::revoke_token(&ledger, "ada", "bench", 0).expect("revoked");
    let token = people::add_person(&ledger, "ada", Role::Researcher, "bench", 0).expect("ada").text().to_owned();
    drop(ledger);
    let (service, boss) = open(dir.path());
    crowd(service.ledger());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        service.refresh_due().await;
        let router = tacit::http::router(service, tacit::http::Settings::default());
        let (mut medians, mut worst) = (Vec::new(), Duration::ZERO);
        let cookies = [("steward", sign_in(&router, &boss).await), ("researcher", sign_in(&router, &token).await)];
        for (role, path) in PAGES {
            let cookie = &cookies.iter().find(|(known, _)| *known == role).expect("a role").1;
            let mut times = Vec::new();
            let mut size = 0;
            for _ in 0..30 {
                let request = Request::get(path).header(header::COOKIE, cookie);
                let request = request.header(header::AUTHORIZATION, format!("Bearer {boss}"));
                let request = request.body(Body::empty()).expect("a request");
                let begun = Instant::now();
                let answer: Response = router.clone().oneshot(request).await.expect("an answer");
                assert!(answer.status().is_success(), "{path}: {}", answer.status());
                size = to_bytes(answer.into_body(), usize::MAX).await.expect("bytes").len();
                times.push(begun.elapsed());
            }
            times.sort();
            let (median, slowest) = (times[times.len() / 2], times[times.len() - 1]);
            medians.push(median);
            worst = worst.max(slowest);
            println!("a million entries, {role} at {path}: median {median:.1?}, slowest {slowest:.1?}, {size} bytes (at most 50 ms)");
        }
        medians.sort();
        let (least, most) = (medians[0], medians[medians.len() - 1]);
        record::say("console", &format!("{least:.1?} to {most:.1?} at the median, slowest {worst:.1?}"));
    });
}

async fn sign_in(router: &Router, token: &str) -> String {
    let request = Request::post("/sign-in").body(Body::from(format!("token={token}"))).expect("a request");
    let answer: Response = router.clone().oneshot(request).await.expect("an answer");
    let set = answer.headers()[header::SET_COOKIE].to_str().expect("text");
    set.split(';').next().expect("a pair").to_owned()
}
