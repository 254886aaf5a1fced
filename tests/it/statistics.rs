//! Published statistics: one charge and the same bytes for every reader, and schedules over ten years.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{Method, StatusCode};
use serde_json::json;
use tacit::engine::PolarsEngine;
use tacit::kernel::budget::entry::{AccountKind, Act};
use tacit::kernel::budget::ledger::read;
use tacit::kernel::clock::Clock;
use tacit::kernel::privacy::amounts::Epsilon;
use tacit::kernel::vault::noise::OpenDp;
use tacit::ledger::SqliteLedger;
use tacit::query::file::{QueryFile, Refresh};
use tacit::query::terms::policy::Policy;
use tacit::service::publishing::editions::seal_and_publish;
use tacit::service::publishing::schedule::CalendarZone;
use tacit::service::publishing::statistics::{Refreshed, confirm};
use tacit::service::stewarding::grants::{self, Grant, Holder};
use tacit::service::{Ports, Service};

use crate::support::{GAUSSIAN, Lab, NoNoise, Reply, StoppedClock, block_on, call, policy, query_files, visits};

const PUBLIC: &str = "-- title: Visits by region\n-- description: <b>Where</b> people live\n-- margin: 120\n-- public: true\n\
                      -- chart: bar\n-- unit: visits\nSELECT region, COUNT(*) AS visits FROM visits GROUP BY region";
const HIDDEN: &str =
    "-- title: Older people\n-- epsilon: 0.1\n-- refresh: daily\nSELECT COUNT(*) AS visits FROM visits WHERE age > 50";

/// A clock that the test sets.
struct SetClock(AtomicU64);

impl Clock for SetClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn lab(allocation: &str) -> Lab {
    Lab::publishing(&policy(GAUSSIAN), &[("regions", PUBLIC), ("older", HIDDEN)], allocation, Arc::new(StoppedClock))
}

async fn anonymous(lab: &Lab, path: &str, headers: &[(&str, &str)]) -> Reply {
    call(&lab.router, Method::GET, path, None, headers, String::new()).await
}

fn spent(lab: &Lab) -> (u64, u64) {
    let of =
        |kind| read(lab.service.ledger(), |book| book.find("visits", kind, "visits").map(|one| one.spent.quanta()));
    (of(AccountKind::Statistics).expect("an account"), of(AccountKind::Dataset).expect("an account"))
}

#[test]
fn a_hundred_thousand_readers_cost_one_charge_and_get_the_same_bytes() {
    block_on(async {
        let lab = lab("1");
        assert_eq!(anonymous(&lab, "/v1/statistics/regions", &[]).await.status, StatusCode::NOT_FOUND, "not yet");
        let released = lab.service.refresh_due().await;
        assert_eq!(released.len(), 2);
        let (first, after, head) = (anonymous(&lab, "/v1/statistics/regions", &[]).await, spent(&lab), lab.head());
        assert_eq!(first.status, StatusCode::OK);
        let etag = first.headers["etag"].to_str().expect("text").to_owned();
        let readers = 100_000;
        for reader in 0..readers {
            let held: &[(&str, &str)] = &[("if-none-match", &etag)];
            let reply = anonymous(&lab, "/v1/statistics/regions", if reader % 2 == 0 { held } else { &[] }).await;
            if reader % 2 == 0 {
                assert_eq!((reply.status, reply.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
            } else {
                assert_eq!((reply.status, &reply.bytes), (StatusCode::OK, &first.bytes));
            }
        }
        assert!(lab.service.refresh_due().await.is_empty(), "nothing is due twice");
        assert_eq!((spent(&lab), lab.head()), (after, head), "reading spends nothing and writes nothing");
        lab.verified();
    });
}

#[test]
fn a_statistic_comes_in_every_form_with_its_headers() {
    block_on(async {
        let lab = lab("1");
        lab.service.refresh_due().await;
        let forms = [
            ("json", "application/json", &b"{"[..]),
            ("csv", "text/csv", b"region,"),
            ("arrow", "application/vnd.apache.arrow.stream", b"\xff\xff\xff\xff"),
            ("feather", "application/vnd.apache.arrow.file", b"ARROW1"),
            ("parquet", "application/vnd.apache.parquet", b"PAR1"),
            ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK"),
            ("svg", "image/svg+xml", b"<svg"),
            ("png", "image/png", b"\x89PNG\r\n\x1a\n"),
            ("vl.json", "application/vnd.vegalite.v5+json", b"{"),
            ("txt", "text/plain; charset=utf-8", b"Visits ("),
        ];
        for (ending, media_type, start) in forms {
            let reply = anonymous(&lab, &format!("/v1/statistics/regions.{ending}"), &[]).await;
            assert_eq!(
                (reply.status, reply.headers["content-type"].to_str().expect("text")),
                (StatusCode::OK, media_type),
                "{ending}"
            );
            assert!(reply.bytes.starts_with(start), "{ending}: {}", String::from_utf8_lossy(&reply.bytes));
            assert!(reply.headers["cache-control"].to_str().expect("text").starts_with("public"), "{ending}");
            assert_eq!(reply.headers["last-modified"], "Mon, 21 Sep 2026 14:13:20 GMT", "{ending}");
        }
        let body = anonymous(&lab, "/v1/statistics/regions", &[]).await.json();
        assert_eq!(body["rows"].as_array().expect("rows").len(), 4);
        assert!(body["cite"].as_str().expect("words").contains(body["release"].as_str().expect("an id")), "{body}");
        assert!(body["account"].is_null() && body["purpose"].is_null() && body["stale"] == false, "{body}");
        let svg = String::from_utf8(anonymous(&lab, "/v1/statistics/regions.svg", &[]).await.bytes).expect("text");
        assert!(svg.contains("<desc") && svg.contains("north"), "it says in words what it shows");
        // Readers are not told which other statistics exist.
        for path in ["/v1/statistics/older", "/v1/statistics/nothing"] {
            assert_eq!(anonymous(&lab, path, &[]).await.status, StatusCode::UNAUTHORIZED, "{path}");
        }
        assert_eq!(lab.get("/v1/statistics/nothing", &lab.viewer).await.status, StatusCode::NOT_FOUND);
        assert_eq!(lab.get("/v1/statistics/regions.exe", &lab.viewer).await.status, StatusCode::NOT_FOUND);
        assert_eq!(lab.get("/v1/statistics/older.csv", &lab.viewer).await.status, StatusCode::OK);
        let listed = anonymous(&lab, "/v1/statistics", &[]).await.json();
        assert_eq!(listed.as_array().expect("a list").len(), 1);
        let listed = lab.get("/v1/statistics", &lab.viewer).await.json();
        assert_eq!(listed.as_array().expect("a list").len(), 2, "{listed}");
        assert!(listed[0]["next_refresh"].is_string() && listed[1]["next_refresh"].is_null(), "{listed}");
    });
}

#[test]
fn an_account_that_cannot_pay_leaves_the_last_release_up_and_says_so() {
    block_on(async {
        // Enough for both of them once, and for "older" once more.
        let lab = lab("0.2");
        let first = lab.service.refresh_due().await;
        assert!(first.iter().any(|(_, became)| matches!(became, Refreshed::Released(_))), "{first:?}");
        let before = lab.get("/v1/statistics/older", &lab.viewer).await.json();
        let refreshed = lab.act("/v1/statistics/older/refresh", &json!({})).await;
        assert_eq!(refreshed.status, StatusCode::OK, "{}", String::from_utf8_lossy(&refreshed.bytes));
        let after = lab.get("/v1/statistics/older", &lab.viewer).await.json();
        assert_ne!(before["release"], after["release"], "a refresh is a new look at the rows");
        while lab.act("/v1/statistics/older/refresh", &json!({})).await.status == StatusCode::OK {}
        let refused = lab.act("/v1/statistics/older/refresh", &json!({})).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "budget-exhausted"));
        assert_eq!(lab.get("/v1/statistics/older", &lab.viewer).await.status, StatusCode::OK);
        // Researchers keep what they were granted.
        assert_eq!(lab.sql("SELECT COUNT(*) FROM visits WHERE smoker", "0.5").await.status, StatusCode::OK);
        let accounts = lab.get("/v1/accounts", &lab.steward).await.json();
        let own = accounts.as_array().expect("a list").iter().find(|one| one["kind"] == "statistics").expect("one");
        assert_eq!((own["name"].as_str(), own["epsilon_cap"].as_str()), (Some("statistics"), Some("0.2")));
        lab.verified();
    });
}

#[test]
fn a_file_that_cannot_be_asked_stops_the_start_and_says_where() {
    let lab = Lab::gaussian();
    for (text, words) in [
        ("-- title: t\n-- margin: 9\n-- refresh: hourly\nSELECT COUNT(*) FROM visits", "line 3"),
        ("-- title: t\n-- margin: 9\n-- public: yes\nSELECT COUNT(*) FROM visits", "accepted are true, false"),
        ("-- title: t\n-- margin: -9\nSELECT COUNT(*) FROM visits", "margin"),
        ("-- title: t\n-- margin: 9\nSELECT regio, COUNT(*) FROM visits GROUP BY regio", "did you mean \"region\""),
        ("-- title: t\n-- margin: 9\nSELECT COUNT(*) FROM elsewhere", "\"elsewhere\" is not served"),
        ("-- title: t\n-- dataset: other\n-- margin: 9\nSELECT COUNT(*) FROM visits", "the SQL asks \"visits\""),
        ("-- title: t\n-- epsilon: 3\nSELECT COUNT(*) FROM visits", "at most 2"),
        ("-- title: t\n-- epsilon: 1\nSELECT DISTINCT region FROM visits", "measures nothing"),
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("broken.sql"), text).expect("a file");
        let found = tacit::startup::query_files(dir.path()).map_err(|error| error.to_string()).and_then(|files| {
            let dataset = lab.service.dataset("visits").expect("a dataset").clone();
            let ledger = Arc::new(SqliteLedger::open(&dir.path().join("state"), 0).expect("a ledger"));
            let (engine, noise, clock) = (Arc::new(PolarsEngine::new()), Arc::new(NoNoise), Arc::new(StoppedClock));
            let service = Service::new(Ports { ledger, engine, noise, clock }, vec![dataset]);
            service.publishing(files, CalendarZone::default()).map(|_| ()).map_err(|fault| fault.to_string())
        });
        let said = found.expect_err("a broken file");
        assert!(said.contains("broken.sql") && said.contains(words), "{text}: {said}");
    }
}

const DAY_MS: u64 = 86_400_000;
/// 2026-01-01 00:00 in UTC.
const BEGIN_MS: u64 = 1_767_225_600_000;

/// Every hour of ten years, in zones whose clocks change in the night, at midnight, by half an hour, and never.
#[test]
fn periods_follow_each_other_without_gap_or_overlap() {
    for name in ["UTC", "Europe/Berlin", "America/Santiago", "Africa/Cairo", "Asia/Beirut", "Australia/Lord_Howe"] {
        let zone = CalendarZone::named(name).unwrap_or_else(|| panic!("{name}"));
        for (refresh, most) in [(Refresh::Daily, 25), (Refresh::Weekly, 169), (Refresh::Monthly, 745)] {
            let (mut hours, mut period) = (0, zone.period(refresh, BEGIN_MS));
            for hour in 1..10 * 365 * 24_u64 {
                let (before, now) = (BEGIN_MS + (hour - 1) * 3_600_000, BEGIN_MS + hour * 3_600_000);
                let (next, turned) = (zone.period(refresh, now), zone.has_turned(refresh, before, now));
                assert_eq!(turned, next > period, "{name} {refresh:?} {now}");
                assert!(next >= period && !zone.has_turned(refresh, now, before), "time does not run backwards");
                hours = if turned { 0 } else { hours + 1 };
                assert!(hours <= most, "{name} {refresh:?}: {hours} hours");
                let begins = zone.next_ms(refresh, now).expect("a next period");
                assert!(begins > now && zone.has_turned(refresh, now, begins), "{name} {refresh:?} {now}");
                assert!(
                    !zone.has_turned(refresh, now, begins - 1),
                    "not a millisecond early: {name} {refresh:?} {now}"
                );
                period = next;
            }
        }
        assert_eq!(zone.next_ms(Refresh::Never, BEGIN_MS), None);
    }
    assert!(CalendarZone::named("Mars/Olympus").is_none());
}

/// A server started over a state directory at some moment.
fn start(
    state: &Path,
    policy: &Policy,
    clock: Arc<SetClock>,
    files: Vec<(std::path::PathBuf, QueryFile)>,
) -> Arc<Service> {
    let ledger = SqliteLedger::open(state, clock.now_ms()).expect("a ledger");
    let mut engine = PolarsEngine::new();
    let datasets = tacit::startup::load(state, &ledger, &mut engine, policy.clone()).expect("datasets");
    let ports = Ports { ledger: Arc::new(ledger), engine: Arc::new(engine), noise: Arc::new(OpenDp), clock };
    let zone = CalendarZone::named("Europe/Berlin").expect("a zone");
    Arc::new(Service::new(ports, datasets).publishing(files, zone).unwrap_or_else(|fault| panic!("{fault}")))
}

/// Ten years of editions, refreshes, months without a server, and a clock that is set back: no statistic is drawn twice in a period or
/// twice from an edition, and what was spent is what was drawn.
#[test]
fn ten_years_of_refreshes_spend_as_planned() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("visits.csv"), visits(60)).expect("a source");
    std::fs::write(dir.path().join("policy.toml"), policy(GAUSSIAN)).expect("a policy");
    let policy = Policy::load(&dir.path().join("policy.toml")).expect("a policy");
    let state = dir.path().join("state");
    let refreshes = [Refresh::Never, Refresh::Daily, Refresh::Weekly, Refresh::Monthly, Refresh::OnNewEdition];
    let text = |(at, refresh): (usize, Refresh)| {
        let (name, age) = (refresh.name(), 20 + at);
        format!("-- title: t\n-- epsilon: 0.02\n-- refresh: {name}\nSELECT COUNT(*) AS n FROM visits WHERE age > {age}")
    };
    let texts: Vec<_> = refreshes.into_iter().enumerate().map(text).collect();
    let files: Vec<_> = refreshes.iter().zip(&texts).map(|(refresh, text)| (refresh.name(), text.as_str())).collect();
    let clock = Arc::new(SetClock(AtomicU64::new(BEGIN_MS)));
    let reseal = |is_first: bool| {
        let ledger = SqliteLedger::open(&state, clock.now_ms()).expect("a ledger");
        let published = seal_and_publish(&ledger, &policy, &state, &|_| {}, &*clock);
        published.unwrap_or_else(|error| panic!("{error}"));
        if is_first {
            let (to, dataset) = (Holder::Statistics { period_days: None }, "visits".to_owned());
            let (epsilon, reason, by) = (Epsilon::parse("3").expect("ε"), "a plan".to_owned(), "sam".to_owned());
            grants::grant(&ledger, Grant { to, dataset, epsilon, reason, by }, clock.now_ms()).expect("a grant");
        }
    };
    block_on(async {
        let (mut day, mut turn) = (0, 0);
        while day < 3_650 {
            reseal(turn == 0);
            let service = start(&state, &policy, Arc::clone(&clock), query_files(&files));
            if turn == 0 {
                service.statistics().for_each(|one| confirm(service.ledger(), one, "sam", 0).expect("confirmed"));
            }
            // An edition is served for days or weeks, and the server checks the schedule four times a day.
            let days = [1, 2, 9, 40][turn % 4];
            for quarter in 0..4 * days {
                clock.0.store(BEGIN_MS + day * DAY_MS + quarter * DAY_MS / 4, Ordering::Relaxed);
                service.refresh_due().await;
            }
            day += days;
            if turn % 7 == 6 {
                // The clock is set back by a day for a while, and the server is down for months.
                clock.0.fetch_sub(DAY_MS, Ordering::Relaxed);
                service.refresh_due().await;
                day += 120;
            }
            turn += 1;
        }
        let service = start(&state, &policy, Arc::clone(&clock), query_files(&files));
        check(&service, turn);
    });
}

fn check(service: &Service, editions: usize) {
    let zone = CalendarZone::named("Europe/Berlin").expect("a zone");
    let entries = service.ledger().entries(0, usize::MAX >> 1).expect("entries");
    let charges = entries.iter().filter(|entry| entry.act.charge().is_some()).count();
    let mut published = 0;
    for refresh in [Refresh::Never, Refresh::Daily, Refresh::Weekly, Refresh::Monthly, Refresh::OnNewEdition] {
        let mine = entries.iter().filter_map(|entry| match &entry.act {
            Act::Published { statistic, edition, .. } if statistic == refresh.name() => Some((entry.at_ms, edition)),
            _ => None,
        });
        let mine: Vec<_> = mine.collect();
        let mut seen: Vec<_> = mine.iter().map(|(_, edition)| *edition).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), mine.len(), "{refresh:?}: never twice of one edition");
        let turned = |pair: &[(u64, &String)]| zone.has_turned(refresh, pair[0].0, pair[1].0);
        let is_periodic = zone.period(refresh, BEGIN_MS).is_some();
        assert!(!is_periodic || mine.windows(2).all(turned), "{refresh:?}: never twice in a period");
        println!("{}: drawn {} times of {editions} editions", refresh.name(), mine.len());
        published += mine.len();
    }
    assert_eq!(charges, published, "one charge each");
    let spent =
        read(service.ledger(), |book| book.find("visits", AccountKind::Statistics, "").expect("one").spent.quanta());
    let each = entries.iter().filter_map(|entry| Some(entry.act.charge()?.legs.researcher.quanta()));
    assert_eq!(spent, each.sum::<u64>());
}
