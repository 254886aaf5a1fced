//! Every page of the console, over the pinned state: its ids and moments are always the same.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use tacit::http::PAGES;

use super::{held, is_hex, no_others, redacted};
use crate::pinned::{END_MS, Scene, opened};
use crate::support::{Reply, block_on, call};

const SQL: &str = "SELECT region, COUNT(*) AS n FROM visits WHERE age > 33 GROUP BY region";

/// A policy with other bounds than those of the dataset that is served.
const POLICY: &str = "[dataset]\nname = \"visits\"\nsource = \"visits.csv\"\nprivacy_unit = \"patient_id\"\n\
                      max_rows_per_unit = 2\nmax_rows = 1_000\ncap = { epsilon = \"2\", delta = \"1e-9\" }\n\
                      [[column]]\nname = \"age\"\ntype = \"integer\"\nmin = \"0\"\nmax = \"120\"\n";

/// What a form is told from another by.
const KEY: &str = "ask_00112233445566778899aabbccddeeff";

/// Fields of a form; none for a page that is looked at.
type Fields = &'static [(&'static str, &'static str)];

/// Pages by the file that they are held against: who looks at them, and their path; forms with what is sent.
const SHOWN: [(&str, &str, &str, Fields); 44] = [
    ("home", "", "/", &[]),
    ("home-of-a-researcher", "bob", "/", &[]),
    ("home-of-a-steward", "sam", "/", &[]),
    ("sign-in", "", "/sign-in", &[]),
    ("statistic", "", "/s/by-region", &[]),
    ("dashboard", "vic", "/d/glance", &[]),
    ("statistic-of-a-viewer", "vic", "/s/older", &[]),
    ("transparency", "", "/transparency", &[]),
    ("transparency-of-a-dataset", "", "/transparency/visits", &[]),
    ("statistics", "", "/statistics", &[]),
    ("statistics-of-a-steward", "sam", "/statistics", &[]),
    ("draw", "sam", "/statistics/older/draw", &[]),
    ("link", "vic", "/statistics/older/link", &[]),
    ("link-made", "vic", "/statistics/older/link", &[("format", "csv"), ("days", "7")]),
    ("datasets", "ada", "/datasets", &[]),
    ("dataset", "ada", "/datasets/visits", &[]),
    ("dataset-of-a-steward", "sam", "/datasets/visits", &[]),
    ("dataset-that-is-frozen", "sam", "/datasets/wards", &[]),
    ("ask", "ada", "/ask", &[]),
    ("ask-build", "ada", "/ask/build?table=visits", &[]),
    ("ask-build-wrong", "ada", "/ask/build?table=visits&what=mean&of=nothing&by=region&do=write", &[]),
    (
        "ask-priced",
        "ada",
        "/ask?sql=SELECT+region%2C+COUNT(*)+AS+n+FROM+visits+WHERE+age+%3E+33+GROUP+BY+region&epsilon=0.3&show=price",
        &[],
    ),
    (
        "ask-price",
        "ada",
        "/ask/price",
        &[("sql", SQL), ("by", "epsilon"), ("epsilon", "0.3"), ("key", KEY), ("level", "3")],
    ),
    (
        "ask-level",
        "ada",
        "/ask/level",
        &[("sql", SQL), ("by", "epsilon"), ("epsilon", "0.3"), ("key", KEY), ("level", "3")],
    ),
    ("ask-refused", "ada", "/ask?sql=SELECT+*+FROM+visits&epsilon=1&show=price", &[]),
    ("history", "bob", "/history", &[]),
    ("history-searched", "bob", "/history?find=nothing-like-it", &[]),
    ("answer", "bob", "/answers/{id}", &[]),
    ("link-to-an-answer", "bob", "/answers/{id}/link", &[]),
    ("link-refused", "bob", "/answers/{id}/link", &[("format", "csv"), ("days", "700")]),
    ("accounts", "ada", "/accounts", &[]),
    ("accounts-of-a-steward", "sam", "/accounts", &[]),
    ("policy", "sam", "/policy", &[]),
    ("policy-of-a-dataset", "sam", "/policy?dataset=visits", &[]),
    ("policy-checked", "sam", "/policy", &[("text", POLICY)]),
    ("sealings", "sam", "/sealings", &[]),
    ("policy-column", "sam", "/policy", &[("text", POLICY), ("edit", "column.0")]),
    ("what-if", "sam", "/what-if?dataset=visits", &[]),
    ("requests", "sam", "/requests", &[]),
    ("people", "sam", "/people", &[]),
    ("person", "sam", "/people/bob", &[]),
    ("role", "sam", "/people/bob/role", &[]),
    ("ledger", "sam", "/ledger", &[]),
    ("not-found", "sam", "/datasets/nothing", &[]),
];

/// Pages that are no HTML, and forms that lead to another page.
const NOT_SHOWN: [&str; 31] = [
    // The manual is a text of its own, whose examples run.
    "GET /manual",
    "GET /manual/{topic}",
    "GET /history/{id}",
    "GET /ask/words",
    "POST /ask",
    "POST /ask/forget",
    "POST /sign-in",
    "POST /sign-out",
    "GET /assets/{name}",
    "POST /statistics/{name}/publish",
    "POST /statistics/{name}/refresh",
    "POST /datasets/{name}/freeze",
    "POST /datasets/{name}/unfreeze",
    "POST /grants",
    "POST /requests",
    "POST /requests/{number}/decide",
    "POST /people",
    "POST /people/{name}/revoke",
    "POST /policy/check",
    "POST /people/{name}/role",
    "POST /policy/forget",
    "POST /policy/uploads",
    "POST /policy/uploads/{id}/remove",
    "POST /people/{name}/tokens",
    "POST /people/{name}/tokens/revoke",
    "POST /people/{name}/datasets",
    // One sealing takes a running server: tests/it/sealings.rs looks at it.
    "GET /sealings/{id}",
    "POST /sealings",
    "POST /sealings/{id}/cancel",
    "GET /ledger/export.csv",
    "GET /ledger/export.jsonl",
];

/// A cookie, and the word that forms carry; both empty for nobody.
struct Session {
    cookie: String,
    csrf: String,
}

async fn get(scene: &Scene, path: &str, cookie: &str) -> Reply {
    call(&scene.router, Method::GET, path, None, &[("cookie", cookie)], String::new()).await
}

async fn post(scene: &Scene, path: &str, session: &Session, fields: &[(&str, &str)]) -> Reply {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.append_pair("csrf", &session.csrf).extend_pairs(fields);
    let headers = [("cookie", session.cookie.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    call(&scene.router, Method::POST, path, None, &headers, body.finish()).await
}

async fn signed_in(scene: &Scene, who: &str) -> Session {
    let mut session = Session { cookie: String::new(), csrf: String::new() };
    if who.is_empty() {
        return session;
    }
    let reply = post(scene, "/sign-in", &session, &[("token", scene.token(who))]).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    let cookie = reply.headers["set-cookie"].to_str().expect("text");
    session.cookie = cookie.split(';').next().expect("a pair").to_owned();
    let page = text(&get(scene, "/datasets", &session.cookie).await);
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a form");
    session.csrf = rest.split('"').next().expect("a word").to_owned();
    session
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.bytes.clone()).expect("text")
}

/// A page with a line for each tag, and without what its session alone knows.
fn shown(page: &str) -> String {
    let page = redacted(page, ("name=\"csrf\" value=\"", '"'), "csrf", |word| is_hex(word, 64));
    let is_key = |word: &str| word.strip_prefix("ask_").is_some_and(|rest| is_hex(rest, 32));
    let page = redacted(&page, ("name=\"key\" value=\"", '"'), "key", is_key);
    page.replace("><", ">\n<")
}

#[test]
fn every_page_is_as_it_was() {
    block_on(async {
        let (_dir, scene) = opened(END_MS);
        let first = scene.get("bob", "/v1/releases?limit=1").await.json()[0]["release"].clone();
        for (name, who, path, fields) in SHOWN {
            let session = signed_in(&scene, who).await;
            let path = path.replace("{id}", first.as_str().expect("an id"));
            let reply = match fields {
                [] => get(&scene, &path, &session.cookie).await,
                fields => post(&scene, &path, &session, fields).await,
            };
            held(&format!("page-{name}"), &format!("{}\n{}", reply.status, shown(&text(&reply))));
        }
        no_others("page-", &SHOWN.iter().map(|(name, ..)| format!("page-{name}")).collect());
    });
}

/// A page that is added is held against a file, too.
#[test]
fn no_page_is_left_out() {
    let parts =
        |path: &str| path.split('?').next().unwrap_or_default().split('/').map(str::to_owned).collect::<Vec<_>>();
    let is_of = |pattern: &str, path: &str| {
        let (pattern, path) = (parts(pattern), parts(path));
        let is_same = |(one, other): (&String, &String)| one == other || one.starts_with('{');
        pattern.len() == path.len() && pattern.iter().zip(&path).all(is_same)
    };
    let method = |fields: &[(&str, &str)]| if fields.is_empty() { "GET" } else { "POST" };
    let is_shown = |how: &str, pattern: &str| {
        SHOWN.iter().any(|(_, _, path, fields)| method(fields) == how && is_of(pattern, path))
    };
    let unshown = PAGES.iter().filter(|page| !is_shown(page.method, page.path));
    let unshown: BTreeSet<String> = unshown.map(|page| format!("{} {}", page.method, page.path)).collect();
    assert_eq!(unshown, NOT_SHOWN.map(str::to_owned).into());
}
