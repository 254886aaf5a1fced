//! The ledger's pages and exports for stewards, and lists of ten thousand accounts.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::Value;

use crate::console::Browser;
use crate::pinned::{END_MS, Scene, opened};
use crate::support::{Lab, NoNoise, PURE, Reply, block_on, call, policy, visits};

/// A steward's session at the pinned state.
async fn cookie(scene: &Scene) -> String {
    let body = format!("token={}", scene.token("sam"));
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let reply = call(&scene.router, Method::POST, "/sign-in", None, &headers, body).await;
    let set = reply.headers["set-cookie"].to_str().expect("text");
    set.split(';').next().expect("a pair").to_owned()
}

async fn get(scene: &Scene, cookie: &str, path: &str) -> Reply {
    call(&scene.router, Method::GET, path, None, &[("cookie", cookie)], String::new()).await
}

fn text(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::OK, "{}", String::from_utf8_lossy(&reply.bytes));
    String::from_utf8_lossy(&reply.bytes).into_owned()
}

/// Numbers of the entries on a page.
fn numbers(page: &str) -> Vec<u64> {
    let cells = page.split("<tr><td>").skip(1);
    cells.map(|rest| rest.split('<').next().expect("a cell").parse().expect("a number")).collect()
}

/// All pages of a search, from the newest entry to the oldest.
async fn walked(scene: &Scene, cookie: &str, query: &str) -> Vec<u64> {
    let (mut path, mut found) = (format!("/ledger?{query}"), Vec::new());
    loop {
        let page = text(&get(scene, cookie, &path).await);
        found.extend(numbers(&page));
        let Some((before, _)) = page.split_once("\" rel=\"next\">Older") else { return found };
        path = before.rsplit("href=\"").next().expect("an address").replace("&amp;", "&");
        assert!(path.starts_with("/ledger?"), "{path}");
    }
}

/// The names in the JSON text of an act under these keys.
fn named<'a>(act: &'a Value, keys: &[&str]) -> BTreeSet<&'a str> {
    keys.iter().filter_map(|key| act[*key].as_str()).collect()
}

/// Whether an act is about a person and a dataset, read from the JSON texts of all entries. One that only mentions an answer or a request is
/// about whom that was charged to or made by.
fn is_about(all: &[Value], one: &Value, person: &str, dataset: &str) -> bool {
    if let Some(acts) = one["acts"].as_array().filter(|acts| !acts.is_empty()) {
        return acts.iter().any(|one| is_about(all, one, person, dataset));
    }
    let mut people = named(one, &["researcher", "name", "by"]);
    let mut datasets = named(one, &["dataset"]);
    let charge = all.iter().find(|known| known["act"] == "charged" && known["release"] == one["release"]);
    let request = all.iter().find(|known| known["seq"] == one["request"]);
    let above = match one["act"].as_str().expect("a kind") {
        "released" | "burned" => charge,
        "request-decided" => request,
        "served" | "published" => {
            datasets.extend(charge.and_then(|charge| charge["dataset"].as_str()));
            None
        }
        _ => None,
    };
    people.extend(above.and_then(|above| above["researcher"].as_str()));
    datasets.extend(above.and_then(|above| above["dataset"].as_str()));
    (person.is_empty() || people.contains(person)) && (dataset.is_empty() || datasets.contains(dataset))
}

/// The numbers of the entries that a plain reading says a search must find, newest first.
fn expected(all: &[Value], person: &str, dataset: &str, act: &str, (from, to): (u64, u64)) -> Vec<u64> {
    let is_it = |one: &&Value| {
        let at = one["at_ms"].as_u64().expect("a time");
        is_about(all, one, person, dataset) && (act.is_empty() || one["act"] == act) && (from..to).contains(&at)
    };
    let mut found: Vec<u64> = all.iter().filter(is_it).map(|one| one["seq"].as_u64().expect("a number")).collect();
    found.reverse();
    found
}

#[test]
fn a_search_finds_what_a_plain_reading_of_the_ledger_finds() {
    block_on(async {
        let (_dir, scene) = opened(END_MS);
        let entries = scene.service.ledger().entries(0, 10_000).expect("entries");
        let all: Vec<Value> = entries.iter().map(|entry| serde_json::to_value(entry).expect("JSON")).collect();
        let cookie = cookie(&scene).await;
        let day = 86_400_000;
        let first = entries[0].at_ms / day * day;
        // 2026-05-28 is the first day of the pinned state.
        let periods = [("", (0, u64::MAX)), ("&from=2026-06-01&to=2026-06-09", (first + 4 * day, first + 13 * day))];
        assert_eq!(tacit::service::stewarding::entries::day_ms("2026-06-01"), Some(first + 4 * day));
        let mut nonempty = 0;
        for person in ["", "ada", "bob", "sam", "nobody"] {
            for dataset in ["", "visits", "reports"] {
                for act in ["", "charged", "released", "served", "granted", "applied"] {
                    for (days, period) in periods {
                        let query = format!("person={person}&dataset={dataset}&act={act}{days}");
                        let wanted = expected(&all, person, dataset, act, period);
                        assert_eq!(walked(&scene, &cookie, &query).await, wanted, "{query}");
                        nonempty += usize::from(!wanted.is_empty());
                        let lines = text(&get(&scene, &cookie, &format!("/ledger/export.jsonl?{query}")).await);
                        let exported = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
                        let mut exported: Vec<u64> = exported.map(|one| one["seq"].as_u64().expect("one")).collect();
                        exported.reverse();
                        assert_eq!(exported, wanted, "{query}");
                    }
                }
            }
        }
        assert!(nonempty > 40, "{nonempty} searches found something");
        assert!(all.iter().any(|one| one["act"] == "applied" && one["acts"][0]["act"].is_string()), "several in one");
    });
}

#[test]
fn a_page_of_the_ledger_names_questions_and_prices_instead_of_ids() {
    block_on(async {
        let (_dir, scene) = opened(END_MS);
        let cookie = cookie(&scene).await;
        let page = text(&get(&scene, &cookie, "/ledger?act=released").await);
        let sentences: Vec<_> = page.split("<summary>the answer was stored for ").skip(1).collect();
        let sentences: Vec<_> = sentences.iter().filter_map(|rest| rest.split('<').next()).collect();
        assert!(!sentences.is_empty() && sentences.len() == numbers(&page).len(), "{sentences:?}");
        assert!(sentences.iter().all(|text| text.contains(": SELECT") && !text.contains("rel_")), "{sentences:?}");
        let page = text(&get(&scene, &cookie, "/ledger?act=charged").await);
        assert!(page.contains(" of the account") && page.contains(" of the cap"));
        let wrong = get(&scene, &cookie, "/ledger?from=yesterday").await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
        assert!(String::from_utf8_lossy(&wrong.bytes).contains("from is not a day like 2026-03-31"));
    });
}

#[test]
fn a_period_is_exported_as_a_table_without_formulas() {
    block_on(async {
        let lab = Lab::exact();
        lab.sql("SELECT COUNT(*) FROM visits", "0.1").await.json();
        let steward = Browser::new(&lab, &lab.steward).await;
        let reason = "=HYPERLINK(\"http://example.org\"), or \"not\"";
        let fields =
            [("kind", "researcher"), ("name", "ada"), ("dataset", "visits"), ("epsilon", "3"), ("reason", reason)];
        assert_eq!(steward.post(&lab, "/grants", &fields).await.status, StatusCode::SEE_OTHER);
        let reply = steward.get(&lab, "/ledger/export.csv").await;
        assert_eq!(reply.headers["content-type"], "text/csv; charset=utf-8");
        let (entries, _) = lab.head();
        let mut reader = csv::Reader::from_reader(reply.bytes.as_slice());
        let header = reader.headers().expect("a header").clone();
        let rows: Vec<_> = reader.records().map(|row| row.expect("a row")).collect();
        assert_eq!(rows.len() as u64, entries);
        let cell = |row: &csv::StringRecord, name: &str| {
            row[header.iter().position(|known| known == name).expect("a column")].to_owned()
        };
        let formula = |text: &str| text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
        assert!(rows.iter().all(|row| !row.iter().any(formula)));
        let charged = rows.iter().find(|row| cell(row, "act") == "charged").expect("a charge");
        assert_eq!((cell(charged, "by").as_str(), cell(charged, "dataset").as_str()), ("ada", "visits"));
        assert_eq!(cell(charged, "epsilon"), "0.1");
        assert!(cell(charged, "account_percent").parse::<f64>().expect("a number") > 0.0);
        let released = rows.iter().find(|row| cell(row, "act") == "released").expect("an answer");
        assert_eq!(cell(released, "question"), cell(charged, "question"));
        assert_eq!(cell(released, "person"), "ada");
        let none = steward.get(&lab, "/ledger/export.csv?from=1999-01-01&to=1999-12-31").await;
        assert_eq!(String::from_utf8_lossy(&none.bytes).lines().count(), 1, "a header");
        let hers = steward.get(&lab, "/ledger/export.csv?person=ada&act=charged").await;
        assert_eq!(String::from_utf8_lossy(&hers.bytes).lines().count(), 2, "a header and a charge");
    });
}

#[test]
fn ten_thousand_accounts_are_found_page_by_page() {
    block_on(async {
        let lab = Lab::new(&policy(PURE), &visits(200), Arc::new(NoNoise), "1");
        let people: String = (0..10_000)
            .map(|n| {
                format!(
                    "[[person]]\nname = \"p{n:05}\"\nrole = \"researcher\"\n[[grant]]\nresearcher = \"p{n:05}\"\n\
                     dataset = \"visits\"\nepsilon = \"0.005\"\n"
                )
            })
            .collect();
        let body = serde_json::json!({"files": [{"name": "people.toml", "text": people}], "reason": "many"});
        let reply = lab.act("/v1/apply", &body).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", String::from_utf8_lossy(&reply.bytes));
        let steward = Browser::new(&lab, &lab.steward).await;
        let (mut path, mut seen, mut pages) = ("/accounts".to_owned(), BTreeSet::new(), 0);
        loop {
            let page = text(&steward.get(&lab, &path).await);
            assert!(page.len() < 100_000, "{path} has {} bytes", page.len());
            let names = page.split("<a href=\"/people/p").skip(1).filter_map(|rest| rest.get(..5));
            let before = seen.len();
            seen.extend(names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())).map(str::to_owned));
            pages += 1;
            assert!(seen.len() - before <= 50);
            let Some((before, _)) = page.split_once("\" rel=\"next\">More researchers") else { break };
            path = before.rsplit("href=\"").next().expect("an address").replace("&amp;", "&");
        }
        assert_eq!((seen.len(), pages), (10_000, 201));
        let found = text(&steward.get(&lab, "/accounts?find=p09998").await);
        assert!(found.contains("/people/p09998") && !found.contains("/people/p09997"));
        let public = text(&steward.get(&lab, "/transparency/visits").await);
        assert!(public.contains(": 10001 researchers") && public.len() < 100_000, "{}", public.len());
    });
}

/// The API finds what a plain reading finds, page by page, as JSON and as CSV.
#[test]
fn the_api_finds_what_the_page_finds() {
    block_on(async {
        let (_dir, scene) = opened(END_MS);
        let entries = scene.service.ledger().entries(0, 10_000).expect("entries");
        let all: Vec<Value> = entries.iter().map(|entry| serde_json::to_value(entry).expect("JSON")).collect();
        let (day, first) = (86_400_000, entries[0].at_ms / 86_400_000 * 86_400_000);
        let period = (first + 4 * day, first + 13 * day);
        for (search, mut wanted) in [
            ("person=ada", expected(&all, "ada", "", "", (0, u64::MAX))),
            ("dataset=reports&act=released", expected(&all, "", "reports", "released", (0, u64::MAX))),
            ("person=bob&from=2026-06-01&to=2026-06-09", expected(&all, "bob", "", "", period)),
            ("person=nobody", Vec::new()),
        ] {
            wanted.reverse();
            let (mut path, mut found) = (format!("/v1/ledger?limit=7&{search}"), Vec::new());
            loop {
                let page = scene.get("sam", &path).await;
                assert_eq!(page.status, StatusCode::OK, "{path}: {}", text(&page));
                found.extend(
                    page.json().as_array().expect("a list").iter().map(|one| one["seq"].as_u64().expect("one")),
                );
                let Some(link) = page.headers.get("link") else { break };
                let link = link.to_str().expect("text");
                path = link.split(['<', '>']).nth(1).expect("an address").to_owned();
                assert!(link.ends_with("rel=\"next\"") && path.contains("limit=7&after="), "{link}");
            }
            assert_eq!(found, wanted, "{search}");
            let csv = text(&scene.get("sam", &format!("/v1/ledger?format=csv&limit=1000&{search}")).await);
            let numbers: Vec<u64> = csv::Reader::from_reader(csv.as_bytes())
                .records()
                .map(|record| record.expect("a record")[0].parse().expect("a number"))
                .collect();
            assert!(csv.starts_with("number,when_utc,act,"), "{csv}");
            assert_eq!(numbers, wanted, "{search}");
        }
        for (query, said) in [
            ("from=yesterday", "from is not a day like 2026-03-31"),
            ("act=nothing", "act \"nothing\" is not known; accepted are dataset-opened"),
            ("format=xml", "format is \"xml\"; accepted are json and csv"),
            ("who=ada", "accepted are limit, after, person"),
        ] {
            let reply = scene.get("sam", &format!("/v1/ledger?{query}")).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{query}");
            assert!(reply.json()["detail"].as_str().is_some_and(|detail| detail.contains(said)), "{}", text(&reply));
        }
    });
}
