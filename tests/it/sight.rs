//! Who may see which statistic: every route and every format, for every role, with and without an account of its dataset.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tacit::engine::PolarsEngine;
use tacit::http::PAGES;
use tacit::kernel::budget::ledger::read;
use tacit::kernel::budget::people::Role;
use tacit::kernel::privacy::amounts::Epsilon;
use tacit::kernel::vault::noise::OpenDp;
use tacit::ledger::SqliteLedger;
use tacit::query::terms::policy::Policy;
use tacit::service::publishing::schedule::CalendarZone;
use tacit::service::publishing::statistics::confirm;
use tacit::service::stewarding::grants::{self, Grant, Holder};
use tacit::service::stewarding::people;
use tacit::service::{Ports, Service};

use crate::support::{
    GAUSSIAN, Lab, PURE, Reply, StoppedClock, block_on, call, grant, policy, query_files, seal_and_publish, visits,
};

/// For each of two datasets, one statistic that is not public; and one that is public, and one that nobody has confirmed.
const FILES: [(&str, &str); 4] = [
    (
        "mine",
        "-- title: Mine alone\n-- epsilon: 0.1\n-- chart: bar\nSELECT region, COUNT(*) AS n FROM visits GROUP BY region",
    ),
    (
        "open",
        "-- title: For all\n-- epsilon: 0.1\n-- public: true\n-- chart: bar\nSELECT region, COUNT(*) AS n FROM visits WHERE age > 30 GROUP BY region",
    ),
    (
        "ours",
        "-- title: Of others\n-- epsilon: 0.1\n-- chart: bar\nSELECT region, COUNT(*) AS n FROM costs GROUP BY region",
    ),
    ("wait", "-- title: Waits\n-- epsilon: 0.1\n-- public: true\nSELECT COUNT(*) AS n FROM visits WHERE age > 70"),
];
/// A name of the same length that no statistic has.
const NOTHING: &str = "none";

struct Two {
    _dir: tempfile::TempDir,
    service: Arc<Service>,
    router: Router,
    /// (who, token, whether they may see non-public statistics of visits, and of costs)
    people: Vec<(&'static str, Option<String>, bool, bool)>,
    steward: String,
}

fn sealed(dir: &Path, ledger: &SqliteLedger, name: &str) -> Policy {
    let text = policy(GAUSSIAN).replace("name = \"visits\"", &format!("name = \"{name}\""));
    std::fs::write(dir.join(format!("{name}.toml")), text).expect("a policy");
    let policy = Policy::load(&dir.join(format!("{name}.toml"))).expect("a policy");
    seal_and_publish(ledger, &policy, &dir.join("state"));
    let (to, dataset) = (Holder::Statistics { period_days: None }, name.to_owned());
    let (epsilon, reason, by) = (Epsilon::parse("1").expect("ε"), "a plan".to_owned(), "sam".to_owned());
    grants::grant(ledger, Grant { to, dataset, epsilon, reason, by }, 0).expect("a grant");
    policy
}

impl Two {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("visits.csv"), visits(60)).expect("a source");
        let state = dir.path().join("state");
        let ledger = SqliteLedger::open(&state, 0).expect("a ledger");
        let policies = ["visits", "costs"].map(|name| sealed(dir.path(), &ledger, name));
        let add = |name, role| people::add_person(&ledger, name, role, "sam", 0).expect("a person").text().to_owned();
        let viewer = |name, datasets: &[&str]| {
            let datasets: Vec<_> = datasets.iter().map(|name| (*name).to_owned()).collect();
            Some(people::add_viewer(&ledger, name, &datasets, "sam", 0).expect("a viewer").text().to_owned())
        };
        let steward = add("sam", Role::Steward);
        let people = vec![
            ("nobody", None, false, false),
            ("sam", Some(steward.clone()), true, true),
            ("ada", Some(add("ada", Role::Researcher)), true, false),
            ("bob", Some(add("bob", Role::Researcher)), false, true),
            ("out", Some(add("out", Role::Researcher)), false, false),
            ("vic", viewer("vic", &["visits"]), true, false),
            ("cay", viewer("cay", &["costs"]), false, true),
            ("dan", viewer("dan", &["costs", "visits"]), true, true),
            ("eve", viewer("eve", &[]), false, false),
            // As in a ledger that is older than the assignment of datasets to viewers.
            ("old", Some(add("old", Role::Viewer)), true, true),
        ];
        grant(&ledger, "ada", "visits", "1");
        grant(&ledger, "bob", "costs", "1");
        let mut engine = PolarsEngine::new();
        let load = |policy| tacit::startup::load(&state, &ledger, &mut engine, policy).expect("datasets");
        let datasets = policies.into_iter().flat_map(load).collect();
        let (ledger, engine) = (Arc::new(ledger), Arc::new(engine));
        let ports = Ports { ledger, engine, noise: Arc::new(OpenDp), clock: Arc::new(StoppedClock) };
        let service = Service::new(ports, datasets).publishing(query_files(&FILES), CalendarZone::default());
        let service = Arc::new(service.unwrap_or_else(|fault| panic!("{fault}")));
        for statistic in service.statistics().filter(|statistic| statistic.name != "wait") {
            confirm(service.ledger(), statistic, "sam", 0).expect("confirmed");
        }
        service.refresh_due().await;
        let router = tacit::http::router(Arc::clone(&service), tacit::http::Settings::default());
        Self { _dir: dir, service, router, people, steward }
    }

    async fn get(&self, path: &str, token: Option<&str>, accept: &str) -> Reply {
        call(&self.router, Method::GET, path, token, &[("accept", accept)], String::new()).await
    }

    /// Signs in and returns the session's cookie.
    async fn sign_in(&self, token: &str) -> String {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let reply = call(&self.router, Method::POST, "/sign-in", None, &form, format!("token={token}")).await;
        let set = reply.headers["set-cookie"].to_str().expect("text");
        set.split(';').next().expect("a pair").to_owned()
    }

    async fn look(&self, path: &str, cookie: Option<&str>) -> Reply {
        let headers: Vec<_> = cookie.iter().map(|cookie| ("cookie", *cookie)).collect();
        call(&self.router, Method::GET, path, None, &headers, String::new()).await
    }
}

/// Everything observable in a reply, with the name replaced.
fn observed(reply: &Reply, name: &str) -> (StatusCode, Vec<(String, String)>, String) {
    let headers = reply.headers.iter();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(name, NOTHING);
    let headers = headers.map(|(key, value)| (key.to_string(), text(value.as_bytes())));
    (reply.status, headers.collect(), text(&reply.bytes))
}

const ENDINGS: [&str; 11] =
    ["", ".json", ".csv", ".arrow", ".parquet", ".svg", ".png", ".vl.json", ".txt", ".xlsx", ".exe"];
const ACCEPTS: [&str; 4] = ["*/*", "text/csv", "application/vnd.apache.arrow.stream", "application/pdf"];

/// Whether somebody is expected to see a statistic.
fn sees(name: &str, (who, visits, costs): (&str, bool, bool)) -> bool {
    match name {
        "open" => true,
        "mine" => visits,
        "ours" => costs,
        "wait" => who == "sam",
        other => panic!("{other} is no statistic"),
    }
}

#[test]
fn every_form_is_for_whom_it_concerns_and_is_nothing_to_others() {
    block_on(async {
        let two = Two::new().await;
        for (who, token, visits, costs) in &two.people {
            let cookie = match token {
                Some(token) => Some(two.sign_in(token).await),
                None => None,
            };
            for (name, _) in FILES {
                let may = sees(name, (who, *visits, *costs));
                for (ending, accept) in ENDINGS.iter().flat_map(|ending| ACCEPTS.map(|accept| (ending, accept))) {
                    let path = |name: &str| format!("/v1/statistics/{name}{ending}");
                    let reply = two.get(&path(name), token.as_deref(), accept).await;
                    let nothing = two.get(&path(NOTHING), token.as_deref(), accept).await;
                    let what = format!("{who} at {} for {accept}: {}", path(name), reply.status);
                    if may
                        && name != "wait"
                        && !matches!(*ending, ".exe" | ".xlsx")
                        && (!ending.is_empty() || accept != "application/pdf")
                    {
                        assert_eq!(reply.status, StatusCode::OK, "{what}");
                        let caching = if name == "open" { "public, max-age=60" } else { "private, max-age=60" };
                        assert_eq!(reply.headers["cache-control"], caching, "{what}");
                        assert!(!nothing.status.is_success(), "{what}");
                    } else if !may {
                        assert_eq!(observed(&reply, name), observed(&nothing, NOTHING), "{what}");
                        let wanted = if token.is_some() { 404 } else { 401 };
                        assert!(
                            accept == "application/pdf"
                                || matches!(*ending, ".exe" | ".xlsx")
                                || reply.status == wanted,
                            "{what}"
                        );
                        assert!(!reply.headers.contains_key("etag"), "{what}");
                    }
                    // A conditional request reveals nothing either.
                    let held = [("accept", accept), ("if-none-match", "*")];
                    let held =
                        call(&two.router, Method::GET, &path(name), token.as_deref(), &held, String::new()).await;
                    assert!(may || held.status == reply.status, "{what}: {}", held.status);
                }
                let (page, nothing) = (format!("/s/{name}"), format!("/s/{NOTHING}"));
                let (page, nothing) =
                    (two.look(&page, cookie.as_deref()).await, two.look(&nothing, cookie.as_deref()).await);
                assert_eq!(page.status == StatusCode::OK, may && name != "wait", "{who} at /s/{name}: {}", page.status);
                assert!(may || observed(&page, name) == observed(&nothing, NOTHING), "{who} at /s/{name}");
                shares_only_what_they_see(&two, (who, token.as_deref(), cookie.as_deref()), name, may).await;
                // A session may read what its person may, also at the API's address, because pages link there.
                let linked = two.look(&format!("/v1/statistics/{name}.csv"), cookie.as_deref()).await;
                assert_eq!(
                    linked.status == StatusCode::OK,
                    may && name != "wait",
                    "{who} by session: {}",
                    linked.status
                );
            }
        }
    });
}

/// Who may not see a statistic cannot share it, either.
async fn shares_only_what_they_see(
    two: &Two,
    (who, token, cookie): (&str, Option<&str>, Option<&str>),
    name: &str,
    may: bool,
) {
    let form = |name: &str| format!("/statistics/{name}/link");
    let (form, nothing) = (two.look(&form(name), cookie).await, two.look(&form(NOTHING), cookie).await);
    let may_share = may && name != "wait" && token.is_some();
    assert_eq!(form.status == StatusCode::OK, may_share, "{who} shares {name}: {}", form.status);
    assert!(may_share || observed(&form, name) == observed(&nothing, NOTHING), "{who} shares {name}");
    let share = async |name: &str| {
        let body = json!({"statistic": name}).to_string();
        call(&two.router, Method::POST, "/v1/links", token, &[], body).await
    };
    let (link, nothing) = (share(name).await, share(NOTHING).await);
    assert_eq!(link.status == StatusCode::CREATED, may_share, "{who} links to {name}: {}", link.status);
    assert!(may_share || observed(&link, name) == observed(&nothing, NOTHING), "{who} links to {name}");
}

#[test]
fn every_list_names_what_its_reader_may_see() {
    block_on(async {
        let two = Two::new().await;
        for (who, token, visits, costs) in &two.people {
            let wanted: Vec<_> =
                FILES.iter().map(|(name, _)| *name).filter(|name| sees(name, (who, *visits, *costs))).collect();
            let listed = two.get("/v1/statistics", token.as_deref(), "*/*").await.json();
            let names: Vec<_> =
                listed.as_array().expect("a list").iter().map(|one| one["name"].as_str().expect("text")).collect();
            assert_eq!(names, wanted, "{who}");
            let cookie = match token {
                Some(token) => Some(two.sign_in(token).await),
                None => None,
            };
            let page = String::from_utf8(two.look("/statistics", cookie.as_deref()).await.bytes).expect("text");
            for (name, title) in [("mine", "Mine alone"), ("open", "For all"), ("ours", "Of others"), ("wait", "Waits")]
            {
                assert_eq!(page.contains(&format!(">{title}<")), wanted.contains(&name), "{who}: {title}");
            }
            let public =
                String::from_utf8(two.look("/transparency/visits", cookie.as_deref()).await.bytes).expect("text");
            assert!(public.contains("For all") && !public.contains("Mine alone") && !public.contains("Waits"), "{who}");
            let Some(token) = token else { continue };
            let datasets = two.get("/v1/datasets", Some(token), "*/*").await.json();
            let datasets: Vec<_> = datasets.as_array().expect("a list").iter().map(|one| one["name"].clone()).collect();
            let seen = [("costs", costs), ("visits", visits)]
                .into_iter()
                .filter(|(_, may)| **may)
                .map(|(name, _)| json!(name));
            assert_eq!(datasets, seen.collect::<Vec<_>>(), "{who}");
            for (name, may) in [("visits", *visits), ("costs", *costs)] {
                let of = |name: &str| format!("/v1/datasets/{name}");
                let reply = two.get(&of(name), Some(token), "*/*").await;
                let nothing = two.get(&of(NOTHING), Some(token), "*/*").await;
                assert_eq!(reply.status == StatusCode::OK, may, "{who} at {name}");
                if !may {
                    let length = |reply: &Reply| {
                        let (status, mut headers, text) = observed(reply, name);
                        headers.retain(|(key, _)| key != "content-length");
                        (status, headers, text)
                    };
                    assert_eq!(length(&reply), length(&nothing), "{who} at {name}");
                }
                let page = two.look(&format!("/datasets/{name}"), cookie.as_deref()).await;
                assert_eq!(page.status == StatusCode::OK, may, "{who} at /datasets/{name}");
            }
        }
    });
}

/// The release of a statistic is not a way around this; only stewards can change a statistic, and the refusal is the same for every name.
#[test]
fn no_other_route_shows_or_draws_it() {
    block_on(async {
        let two = Two::new().await;
        let release = read(two.service.ledger(), |book| {
            book.statistic("mine").and_then(|card| card.shown.clone()).expect("a release").release
        });
        for (who, token, ..) in two.people.iter().filter(|(who, token, ..)| *who != "sam" && token.is_some()) {
            let token = token.as_deref();
            let nothing = "rel_00000000000000000000000000000000";
            let (reply, other) = (
                two.get(&format!("/v1/releases/{release}"), token, "*/*").await,
                two.get(&format!("/v1/releases/{nothing}"), token, "*/*").await,
            );
            assert_eq!(observed(&reply, &release), observed(&other, nothing), "{who}");
            for (method, path, body) in [
                ("POST", "/v1/statistics/{name}/refresh", "{}"),
                ("POST", "/v1/statistics/{name}/publish", "{}"),
                ("POST", "/v1/check", "{\"files\": [{\"name\": \"a.sql\", \"text\": \"\"}]}"),
            ] {
                let ask = async |name: &str| {
                    let method: Method = method.parse().expect("a method");
                    call(&two.router, method, &path.replace("{name}", name), token, &[], body.to_owned()).await
                };
                let (reply, other) = (ask("mine").await, ask(NOTHING).await);
                assert_eq!(reply.status, StatusCode::FORBIDDEN, "{who} at {path}");
                assert_eq!(observed(&reply, "mine"), observed(&other, NOTHING), "{who} at {path}");
            }
        }
        // Every page with a statistic's name in its path is among those that this file tests.
        let named: Vec<_> = PAGES
            .iter()
            .map(|page| page.path)
            .filter(|path| path.starts_with("/s") && path.contains("{name}"))
            .collect();
        assert_eq!(
            named,
            [
                "/s/{name}",
                "/statistics/{name}/draw",
                "/statistics/{name}/link",
                "/statistics/{name}/link",
                "/statistics/{name}/publish",
                "/statistics/{name}/refresh"
            ]
        );
        let cookie = two.sign_in(two.people[2].1.as_deref().expect("ada")).await;
        let (draw, nothing) = (
            two.look("/statistics/mine/draw", Some(&cookie)).await,
            two.look(&format!("/statistics/{NOTHING}/draw"), Some(&cookie)).await,
        );
        assert_eq!(draw.status, StatusCode::FORBIDDEN);
        assert_eq!(observed(&draw, "mine"), observed(&nothing, NOTHING));
    });
}

/// Viewers are assigned datasets, and keep the assignment with a new token.
#[test]
fn a_viewer_sees_what_they_were_given_last() {
    block_on(async {
        let two = Two::new().await;
        let put = async |name: &str, datasets: Value| {
            let path = format!("/v1/researchers/{name}/datasets");
            let body = json!({"datasets": datasets}).to_string();
            call(&two.router, Method::PUT, &path, Some(&two.steward), &[], body).await
        };
        let listed = async |token: &str| {
            let listed = two.get("/v1/statistics", Some(token), "*/*").await.json();
            listed
                .as_array()
                .expect("a list")
                .iter()
                .map(|one| one["name"].as_str().expect("text").to_owned())
                .collect::<Vec<_>>()
        };
        let vic =
            two.people.iter().find(|(who, ..)| *who == "vic").and_then(|(_, token, ..)| token.clone()).expect("vic");
        assert_eq!(listed(&vic).await, ["mine", "open"]);
        let set = put("vic", json!(["costs", "costs"])).await;
        assert_eq!((set.status, &set.json()["datasets"]), (StatusCode::OK, &json!(["costs"])));
        assert_eq!(listed(&vic).await, ["open", "ours"]);
        assert_eq!(put("vic", json!([])).await.status, StatusCode::OK);
        assert_eq!(listed(&vic).await, ["open"]);
        for (name, datasets, code) in [
            ("vic", json!(["nowhere"]), "unknown-dataset"),
            ("vic", json!("visits"), "invalid-request"),
            ("vic", json!([1]), "invalid-request"),
            ("vic", Value::Null, "invalid-request"),
            ("ada", json!(["visits"]), "invalid-request"),
            ("zoe", json!(["visits"]), "not-found"),
        ] {
            assert_eq!(put(name, datasets.clone()).await.code(), code, "{name}: {datasets}");
        }
        // Revoking a token removes no restriction.
        people::revoke_token(two.service.ledger(), "vic", "sam", 0).expect("revoked");
        let token = people::add_person(two.service.ledger(), "vic", Role::Viewer, "sam", 0).expect("a token");
        assert_eq!(listed(token.text()).await, ["open"]);
        let add = async |body: Value| {
            call(&two.router, Method::POST, "/v1/researchers", Some(&two.steward), &[], body.to_string()).await
        };
        let added = add(json!({"name": "zed", "role": "viewer", "datasets": ["visits"]})).await;
        assert_eq!((added.status, &added.json()["datasets"]), (StatusCode::CREATED, &json!(["visits"])));
        assert_eq!(listed(added.json()["token"].as_str().expect("a token")).await, ["mine", "open"]);
        assert_eq!(add(json!({"name": "yan", "role": "viewer", "datasets": ["no"]})).await.code(), "unknown-dataset");
        assert_eq!(add(json!({"name": "yan", "datasets": ["visits"]})).await.code(), "invalid-request");
        let people = two.get("/v1/researchers", Some(&two.steward), "*/*").await.json();
        let of = |name: &str| {
            people.as_array().expect("a list").iter().find(|one| one["name"] == name).expect("one").clone()
        };
        assert_eq!((&of("zed")["datasets"], &of("vic")["datasets"]), (&json!(["visits"]), &json!([])));
        assert!(of("old")["datasets"].is_null() && of("ada")["datasets"].is_null());
    });
}

/// In declared files, viewers get datasets with their token or later; a file that names none does not change what they see.
#[test]
fn files_give_viewers_their_datasets() {
    block_on(async {
        let lab = Lab::new(&policy(PURE), &visits(20), Arc::new(OpenDp), "10");
        let apply = async |text: &str| {
            let files = json!([{"name": "people.toml", "text": text}]);
            let planned = lab.act("/v1/plan", &json!({"files": files})).await.json();
            let applied = lab.act("/v1/apply", &json!({"files": files, "reason": "as in Git"})).await.json();
            assert_eq!(planned["changes"], applied["changes"], "{planned} {applied}");
            applied
        };
        let person = |name: &str, more: &str| format!("[[person]]\nname = \"{name}\"\nrole = \"viewer\"\n{more}\n");
        let given = person("wil", "datasets = [\"visits\"]");
        let applied = apply(&given).await;
        assert_eq!(applied["changes"], json!(["add person wil as viewer of the statistics of visits"]));
        assert_eq!(applied["tokens"][0]["name"], "wil");
        let viewing = |name: &str| {
            read(lab.service.ledger(), |book| book.viewing(name).map(|seen| seen.iter().cloned().collect::<Vec<_>>()))
        };
        assert_eq!(viewing("wil"), Some(vec!["visits".to_owned()]));
        assert_eq!(apply(&given).await["changes"], json!([]));
        let none = person("wil", "datasets = []");
        assert_eq!(apply(&none).await["changes"], json!(["let wil see public statistics alone"]));
        assert_eq!(apply(&person("wil", "")).await["changes"], json!([]), "what stands stays where nothing is said");
        assert_eq!(viewing("wil"), Some(vec![]));
        // Adopted, and restricted at the same time; vic was assigned no datasets before.
        let vic = format!("{none}{}", person("vic", "datasets = [\"visits\"]"));
        let changes = json!(["manage person vic by files from now on", "let vic see the statistics of visits"]);
        assert_eq!(apply(&vic).await["changes"], changes);
        let head = lab.head();
        let wrong =
            json!({"files": [{"name": "a.toml", "text": person("wil", "datasets = [\"visitz\"]")}], "reason": "r"});
        let refused = lab.act("/v1/apply", &wrong).await.json();
        assert!(refused["detail"].as_str().expect("words").contains("there is no dataset \"visitz\""), "{refused}");
        assert_eq!(lab.head(), head);
        lab.verified();
    });
}
