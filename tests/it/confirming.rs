//! New statistics wait for a steward: nothing is drawn without confirmation, whatever is restarted, and what was shown before stays up.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tacit::engine::PolarsEngine;
use tacit::kernel::budget::entry::{AccountKind, Act, KeyUse};
use tacit::kernel::budget::ledger::{Ledger, read};
use tacit::kernel::budget::people::{Role, STATISTICS};
use tacit::kernel::privacy::amounts::Epsilon;
use tacit::kernel::vault::noise::OpenDp;
use tacit::ledger::SqliteLedger;
use tacit::query::terms::policy::Policy;
use tacit::service::asking::ask::{Ask, RequestedAccuracy};
use tacit::service::publishing::schedule::CalendarZone;
use tacit::service::publishing::statistics::{Agreement, confirm};
use tacit::service::stewarding::grants::{self, Grant, Holder};
use tacit::service::stewarding::people;
use tacit::service::{Ports, Service};

use crate::support::{
    GAUSSIAN, Lab, Reply, StoppedClock, block_on, call, policy, query_files, seal_and_publish, visits,
};

const OLDER: &str = "-- title: Older people\n-- epsilon: 0.1\n-- refresh: on-new-edition\n\
                     SELECT COUNT(*) AS visits FROM visits WHERE age > 50";
const PUBLIC: &str = "-- title: Visits by region\n-- margin: 120\n-- public: true\n-- chart: bar\n\
                      SELECT region, COUNT(*) AS visits FROM visits GROUP BY region";

fn lab(allocation: &str) -> Lab {
    Lab::waiting(&policy(GAUSSIAN), &[("older", OLDER), ("regions", PUBLIC)], allocation, Arc::new(StoppedClock))
}

fn spent(ledger: &dyn Ledger) -> u64 {
    read(ledger, |book| book.find("visits", AccountKind::Dataset, "visits").expect("a dataset").spent.quanta())
}

fn standing(listed: &Value, name: &str) -> String {
    let list = listed.as_array().expect("a list");
    let found = list.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name} in {listed}"));
    found["standing"].as_str().expect("a word").to_owned()
}

async fn anonymous(lab: &Lab, path: &str) -> Reply {
    call(&lab.router, axum::http::Method::GET, path, None, &[], String::new()).await
}

/// Neither a start nor a check of what is due nor a refresh draws it; a steward's confirmation does, once.
#[test]
fn a_new_file_waits_until_a_steward_confirms_it() {
    block_on(async {
        let lab = lab("1");
        assert!(lab.service.refresh_due().await.is_empty() && lab.service.is_ready(), "it is ready without them");
        for (path, token) in [("/v1/statistics/regions", &lab.viewer), ("/v1/statistics/regions.csv", &lab.researcher)]
        {
            let reply = lab.get(path, token).await;
            assert_eq!((reply.status, reply.code().as_str()), (StatusCode::NOT_FOUND, "not-found"), "{path}");
            let nothing = lab.get("/v1/statistics/nothing", token).await.json();
            let told = reply.json()["detail"].as_str().expect("words").replace("regions", "nothing");
            assert_eq!(nothing["detail"], told, "as if it were not there");
        }
        assert_eq!(anonymous(&lab, "/v1/statistics/regions").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(anonymous(&lab, "/v1/statistics").await.json(), json!([]));
        assert_eq!(lab.get("/v1/statistics", &lab.viewer).await.json(), json!([]));
        assert_eq!(standing(&lab.get("/v1/statistics", &lab.steward).await.json(), "regions"), "new");
        let told = lab.get("/v1/statistics/regions", &lab.steward).await;
        assert_eq!(told.code(), "not-found");
        assert!(told.json()["detail"].as_str().expect("words").contains("waits for a steward"), "{}", told.json());
        let head = lab.head();
        let refused = lab.act("/v1/statistics/regions/refresh", &json!({})).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::BAD_REQUEST, "invalid-request"));
        assert!(refused.json()["detail"].as_str().expect("words").contains("tacit statistics publish regions"));
        assert_eq!((lab.head(), spent(lab.service.ledger())), (head, 0), "nothing was spent or written");

        let published = lab.act("/v1/statistics/regions/publish", &json!({})).await;
        assert_eq!(published.status, StatusCode::OK, "{}", published.json());
        assert_eq!(published.json()["standing"], "confirmed");
        assert!(published.json()["release"].is_string());
        let after = (lab.head(), spent(lab.service.ledger()));
        assert!(after.1 > 0);
        assert_eq!(lab.act("/v1/statistics/regions/publish", &json!({})).await.status, StatusCode::OK);
        assert!(lab.service.refresh_due().await.is_empty());
        assert_eq!((lab.head(), spent(lab.service.ledger())), after, "twice is once");
        assert_eq!(anonymous(&lab, "/v1/statistics/regions").await.status, StatusCode::OK);
        assert_eq!(lab.get("/v1/statistics/older", &lab.viewer).await.status, StatusCode::NOT_FOUND, "the other waits");
        let entries = lab.get("/v1/ledger?limit=1000", &lab.steward).await.json();
        let agreed = entries.as_array().expect("entries").iter().find(|entry| entry["act"] == "statistic-confirmed");
        let agreed = agreed.expect("it stands in the ledger");
        assert_eq!((&agreed["statistic"], &agreed["by"]), (&json!("regions"), &json!("sam")));
        lab.verified();
    });
}

/// A price that the steward did not name is not paid, and a price that cannot be paid is not confirmed.
#[test]
fn a_steward_never_agrees_to_more_than_they_named() {
    block_on(async {
        let poor = lab("0.05");
        let head = poor.head();
        for (body, code) in [
            (json!({"epsilon": "0.01"}), "invalid-request"),
            (json!({"epsilon": "much"}), "invalid-epsilon"),
            (json!({"price": "0.1"}), "invalid-request"),
            (json!({"epsilon": "0.1"}), "budget-exhausted"),
            (json!({}), "budget-exhausted"),
        ] {
            assert_eq!(poor.act("/v1/statistics/older/publish", &body).await.code(), code, "{body}");
        }
        assert_eq!(poor.act("/v1/statistics/nothing/publish", &json!({})).await.code(), "not-found");
        assert_eq!(poor.head(), head);
        assert_eq!(poor.service.refresh_due().await, [], "a later grant draws nothing that was refused");
        let rich = lab("1");
        assert_eq!(rich.act("/v1/statistics/older/publish", &json!({"epsilon": "0.1"})).await.status, StatusCode::OK);
        // Without an account there is no budget to pay from.
        let bare = Lab::gaussian();
        assert_eq!(bare.act("/v1/statistics/older/publish", &json!({})).await.code(), "not-found");
    });
}

/// A state directory that is started again and again with other files, as an operator does.
struct Place {
    dir: tempfile::TempDir,
    token: String,
    viewer: String,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("visits.csv"), visits(60)).expect("a source");
        let ledger = SqliteLedger::open(&dir.path().join("state"), 0).expect("a ledger");
        let mut place = Self { dir, token: String::new(), viewer: String::new() };
        place.reseal(&ledger, &policy(GAUSSIAN));
        let (to, dataset) = (Holder::Statistics { period_days: None }, "visits".to_owned());
        let (epsilon, reason, by) = (Epsilon::parse("1").expect("ε"), "a plan".to_owned(), "sam".to_owned());
        grants::grant(&ledger, Grant { to, dataset, epsilon, reason, by }, 0).expect("a grant");
        let add = |name, role| people::add_person(&ledger, name, role, "sam", 0).expect("a person").text().to_owned();
        (place.token, place.viewer) = (add("sam", Role::Steward), add("vic", Role::Viewer));
        place
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    fn reseal(&self, ledger: &SqliteLedger, text: &str) {
        let path = self.dir.path().join("policy.toml");
        std::fs::write(&path, text).expect("a policy");
        let policy = Policy::load(&path).expect("a policy");
        seal_and_publish(ledger, &policy, &self.state());
    }

    fn start(&self, files: &[(&str, &str)]) -> Arc<Service> {
        start(self.dir.path(), files)
    }

    /// Sends a GET request with a token, if any, to a server started with these files.
    async fn get(&self, service: &Arc<Service>, path: &str, token: Option<&str>) -> Reply {
        let router = tacit::http::router(Arc::clone(service), tacit::http::Settings::default());
        call(&router, axum::http::Method::GET, path, token, &[], String::new()).await
    }
}

fn start(dir: &Path, files: &[(&str, &str)]) -> Arc<Service> {
    let policy = Policy::load(&dir.join("policy.toml")).expect("a policy");
    let ledger = SqliteLedger::open(&dir.join("state"), 0).expect("a ledger");
    let mut engine = PolarsEngine::new();
    let datasets = tacit::startup::load(&dir.join("state"), &ledger, &mut engine, policy).expect("datasets");
    let (ledger, engine) = (Arc::new(ledger), Arc::new(engine));
    let ports = Ports { ledger, engine, noise: Arc::new(OpenDp), clock: Arc::new(StoppedClock) };
    let service = Service::new(ports, datasets).publishing(query_files(files), CalendarZone::default());
    Arc::new(service.unwrap_or_else(|fault| panic!("{fault}")))
}

/// The last release stays up with its own title and question, and says that a newer question is waiting.
#[test]
fn a_file_that_changed_waits_and_what_was_shown_stays_up() {
    let place = Place::new();
    let first = OLDER.replace("Older people", "Over fifty");
    block_on(async {
        let service = place.start(&[("older", &first)]);
        service.publish("older", None, "sam").await.expect("published");
    });
    let changed = OLDER.replace("age > 50", "age > 60");
    for text in [&changed, &OLDER.replace("0.1", "0.2")] {
        block_on(async {
            let service = place.start(&[("older", text)]);
            let before = spent(service.ledger());
            assert!(service.refresh_due().await.is_empty());
            assert_eq!(spent(service.ledger()), before, "not drawn");
            let body = place.get(&service, "/v1/statistics/older", Some(&place.viewer)).await.json();
            assert_eq!((&body["title"], &body["stale"]), (&json!("Over fifty"), &json!(true)), "{body}");
            assert!(body["sql"].as_str().expect("SQL").contains("51"), "the question that it answers: {body}");
            assert!(body["stale_reason"].as_str().expect("words").contains("its question has changed"), "{body}");
            assert_eq!(body["price"]["epsilon"], "0.1", "what the shown one costs");
            let page = place.get(&service, "/s/older", None).await;
            assert_eq!(page.status, StatusCode::SEE_OTHER, "it is not public");
            let listed = place.get(&service, "/v1/statistics", Some(&place.token)).await.json();
            assert_eq!(standing(&listed, "older"), "changed");
        });
    }
    block_on(async {
        // The question is still confirmed as it was before; a new title is not a new question.
        let renamed = OLDER.replace("Older people", "Above fifty");
        let service = place.start(&[("older", &renamed)]);
        let body = place.get(&service, "/v1/statistics/older", Some(&place.viewer)).await.json();
        assert_eq!((&body["title"], &body["stale"]), (&json!("Above fifty"), &json!(false)), "{body}");
    });
    block_on(async {
        let service = place.start(&[("older", &changed)]);
        let before = spent(service.ledger());
        service.publish("older", None, "sam").await.expect("published");
        assert!(spent(service.ledger()) > before);
        let body = place.get(&service, "/v1/statistics/older", Some(&place.viewer)).await.json();
        assert!(body["title"] == "Older people" && body["stale"] == false, "{body}");
        assert!(body["sql"].as_str().expect("SQL").contains("61"), "{body}");
    });
    block_on(async {
        let service = place.start(&[("older", &changed)]);
        let statistic = service.statistic("older").expect("a statistic");
        assert_eq!(service.reading_of(statistic).agreement, Agreement::Given, "after a restart, too");
        // The earlier question now counts as a changed one.
        drop(service);
        let service = place.start(&[("older", &first)]);
        assert_eq!(service.reading_of(service.statistic("older").expect("one")).agreement, Agreement::Changed);
    });
}

/// A file that becomes public with another question does not publish the earlier numbers, which were not public.
#[test]
fn earlier_numbers_are_public_only_where_both_files_say_so() {
    let place = Place::new();
    block_on(async {
        let service = place.start(&[("older", OLDER)]);
        service.publish("older", None, "sam").await.expect("published");
    });
    block_on(async {
        let opened = OLDER.replace("-- epsilon", "-- public: true\n-- epsilon").replace("age > 50", "age > 60");
        let service = place.start(&[("older", &opened)]);
        let reply = place.get(&service, "/v1/statistics/older", None).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "they were not public, and nobody said that they are");
        let reply = place.get(&service, "/v1/statistics/older", Some(&place.viewer)).await;
        assert_eq!(reply.headers["cache-control"], "private, max-age=60");
        assert_eq!(reply.json()["public"], false);
        service.publish("older", None, "sam").await.expect("published");
        assert_eq!(place.get(&service, "/v1/statistics/older", None).await.status, StatusCode::OK);
    });
}

/// Statistics drawn before confirmations existed continue; a changed question of theirs waits.
#[test]
fn a_ledger_from_before_counts_as_confirmed() {
    let place = Place::new();
    block_on(async {
        let service = place.start(&[("older", OLDER)]);
        let statistic = service.statistic("older").expect("a statistic").clone();
        let accuracy = (Some("0.1"), None::<&str>);
        let question = serde_json::to_vec(&(&statistic.sql, accuracy)).expect("plain data");
        let key = KeyUse { key: [7; 32], body: *blake3::hash(&question).as_bytes() };
        let sql = "SELECT COUNT(*) AS visits FROM visits WHERE age > 50".to_owned();
        let accuracy = Some(RequestedAccuracy::Epsilon(Epsilon::parse("0.1").expect("ε")));
        let ask = Ask { sql, accuracy, rows_per_unit: None, group_size: None, purpose: None };
        let answer = Arc::clone(&service).answer(STATISTICS.to_owned(), ask, Some(key)).await.expect("an answer");
        let (release, edition) = (answer.stored.release.id.clone(), answer.stored.release.subject.edition.clone());
        let act = Act::Published { statistic: "older".to_owned(), key, release, edition };
        service.ledger().act(Box::new(move |_| Some(act)), 0).expect("a ledger").expect("published");
        assert_eq!(service.reading_of(&statistic).agreement, Agreement::Given);
        assert!(service.refresh_due().await.is_empty());
        assert_eq!(place.get(&service, "/v1/statistics/older", Some(&place.viewer)).await.status, StatusCode::OK);
    });
    block_on(async {
        let ledger = SqliteLedger::open(&place.state(), 0).expect("a ledger");
        place.reseal(&ledger, &policy(GAUSSIAN));
        drop(ledger);
        let service = place.start(&[("older", OLDER)]);
        assert_eq!(service.refresh_due().await.len(), 1, "its schedule goes on by itself");
        drop(service);
        let service = place.start(&[("older", &OLDER.replace("50", "60"))]);
        assert!(service.refresh_due().await.is_empty(), "another question waits");
        let body = place.get(&service, "/v1/statistics/older", Some(&place.viewer)).await.json();
        assert_eq!(body["title"], "older", "nobody wrote down what it was called");
    });
}

/// If a new policy makes the same question more expensive, the schedule stops until a steward confirms the new price.
#[test]
fn a_schedule_never_pays_more_than_was_confirmed() {
    let place = Place::new();
    let monthly = PUBLIC.replace("-- chart", "-- refresh: on-new-edition\n-- chart");
    let first = block_on(async {
        let service = place.start(&[("regions", &monthly)]);
        service.publish("regions", None, "sam").await.expect("published");
        place.get(&service, "/v1/statistics/regions", None).await.json()["release"].clone()
    });
    let ledger = SqliteLedger::open(&place.state(), 0).expect("a ledger");
    place.reseal(&ledger, &policy(GAUSSIAN).replace("max_rows_per_unit = 4", "max_rows_per_unit = 8"));
    drop(ledger);
    block_on(async {
        let service = place.start(&[("regions", &monthly)]);
        let before = spent(service.ledger());
        assert!(service.refresh_due().await.is_empty());
        assert_eq!(spent(service.ledger()), before);
        let body = place.get(&service, "/v1/statistics/regions", None).await.json();
        assert_eq!((&body["release"], &body["stale"]), (&first, &json!(true)), "{body}");
        assert!(body["stale_reason"].as_str().expect("words").contains("costs more than before"), "{body}");
        let listed = place.get(&service, "/v1/statistics", Some(&place.token)).await.json();
        assert_eq!(standing(&listed, "regions"), "dearer");
        service.publish("regions", None, "sam").await.expect("published");
        let body = place.get(&service, "/v1/statistics/regions", None).await.json();
        assert!(body["release"] != first && body["stale"] == false, "{body}");
    });
}

/// A statistic that is confirmed while no server runs is drawn when one starts.
#[test]
fn what_is_confirmed_at_the_state_directory_is_drawn_at_the_start() {
    let place = Place::new();
    block_on(async {
        let service = place.start(&[("older", OLDER)]);
        let statistic = service.statistic("older").expect("a statistic").clone();
        confirm(service.ledger(), &statistic, "sam", 0).expect("confirmed");
    });
    block_on(async {
        let service = place.start(&[("older", OLDER)]);
        assert!(!service.is_ready(), "what is due is drawn before it is ready");
        assert_eq!(service.refresh_due().await.len(), 1);
        assert!(service.is_ready());
    });
}

/// Prices and errors of files, including broken ones, are reported without writing anything.
#[test]
fn files_are_checked_for_free() {
    block_on(async {
        let lab = lab("1");
        let head = lab.head();
        let file = |name: &str, text: &str| json!({"name": name, "text": text});
        let mean = "-- title: Cost\n-- epsilon: 0.3\n\n\n  SELECT region, COUNT(*) AS n, AVG(cost) AS c FROM visits GROUP BY region";
        let files = [
            file("older.sql", OLDER),
            file("mean.sql", mean),
            file("typo.sql", "-- title: t\n-- margin: 9\n\n  SELECT regio, COUNT(*) FROM visits GROUP BY regio"),
            file(
                "second.sql",
                "-- title: t\n-- margin: 9\nSELECT region, COUNT(*)\n  FROM visits WHERE nothing = 3 GROUP BY region",
            ),
            file("header.sql", "-- title: t\n-- margin: 9\n-- refresh: hourly\nSELECT COUNT(*) FROM visits"),
            file("margin.sql", "-- title: t\n-- margin: -9\nSELECT COUNT(*) FROM visits"),
            file("dear.sql", "-- title: t\n-- epsilon: 3\nSELECT COUNT(*) FROM visits"),
            file("a b.sql", OLDER),
        ];
        let reply = lab.act("/v1/check", &json!({"files": files})).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.json());
        let checked = reply.json();
        let older = &checked[0];
        assert_eq!(
            (&older["name"], &older["epsilon"], &older["standing"]),
            (&json!("older"), &json!("0.1"), &json!("new"))
        );
        let margin = |column: &Value| column["margin"].as_str().expect("a margin").parse::<f64>().expect("a number");
        let quote = json!({"sql": "SELECT COUNT(*) AS visits FROM visits WHERE age > 50", "epsilon": "0.1"});
        let quote =
            call(&lab.router, axum::http::Method::POST, "/v1/quotes", Some(&lab.researcher), &[], quote.to_string());
        let quoted = margin(&quote.await.json()["columns"][0]);
        assert!((margin(&older["columns"][0]) / quoted - 1.0).abs() < 1e-5, "a quote's error: {older}");
        let fraction: f64 = older["fraction"].as_str().expect("a part").parse().expect("a number");
        assert!(fraction > 0.0 && fraction < 0.1, "{older}");
        let mean = &checked[1]["columns"];
        assert_eq!((&mean[0]["kind"], &mean[2]["kind"]), (&json!("key"), &json!("mean")));
        assert!(
            mean[0]["margin"].is_null() && margin(&mean[2]) > 0.0 && checked[1]["assumed_group_size"] == 1000,
            "{checked}"
        );
        for (at, line, column, words) in [
            (2, json!(4), json!(10), "line 4, column 10: unknown column \"regio\"; did you mean \"region\"?"),
            (3, json!(4), json!(21), "line 4, column 21: unknown column \"nothing\""),
            (4, json!(3), Value::Null, "line 3: the header \"refresh\" is \"hourly\""),
            (5, json!(2), Value::Null, "line 2: margin: "),
            (6, json!(2), Value::Null, "line 2: it costs epsilon 3, and one query may cost at most 2"),
            (7, Value::Null, Value::Null, "\"a b\" is not a valid name for a statistic"),
        ] {
            let fault = &checked[at]["fault"];
            assert_eq!((&fault["line"], &fault["column"]), (&line, &column), "{fault}");
            assert!(fault["message"].as_str().expect("words").starts_with(words), "{fault}");
            assert!(checked[at]["epsilon"].is_null());
        }
        assert_eq!(lab.head(), head);
        assert_eq!(lab.act("/v1/check", &json!({"files": []})).await.code(), "invalid-request");
    });
}
