//! The console without a browser: roles, sessions, forms, attacks, and what a page may contain.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{Method, StatusCode};
use tacit::http::{PAGES, PageRoute};
use tacit::kernel::budget::people::Role;
use tacit::kernel::clock::Clock;
use tacit::render::assets;
use tacit::service::stewarding::people;

use crate::support::{GAUSSIAN, Lab, Reply, StoppedClock, block_on, call, filled, policy};

const STATISTIC: &str = "-- title: Visits <b>by</b> region\n-- description: \"&<script>alert(1)</script>\n-- epsilon: 0.1\n\
                         -- public: true\n-- chart: bar\nSELECT region, COUNT(*) AS visits FROM visits GROUP BY region";

pub fn lab() -> Lab {
    let dashboards = [("glance", "title = \"At <b>a</b> glance\"\nstatistics = [\"regions\"]")];
    Lab::showing(&policy(GAUSSIAN), &[("regions", STATISTIC)], &dashboards, "1", Arc::new(StoppedClock))
}

pub fn encoded(fields: &[(&str, &str)]) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(fields);
    text.finish()
}

/// A signed-in browser: a session cookie, and the token that its forms carry.
pub struct Browser {
    pub cookie: String,
    pub csrf: String,
}

impl Browser {
    pub async fn new(lab: &Lab, token: &str) -> Self {
        let reply = send(lab, "/sign-in", &[], &[("token", token)]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", String::from_utf8_lossy(&reply.bytes));
        let set = reply.headers["set-cookie"].to_str().expect("text");
        assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && set.contains("Path=/"), "{set}");
        let cookie = set.split(';').next().expect("a pair").to_owned();
        let mut browser = Self { cookie, csrf: String::new() };
        let page = browser.get(lab, "/datasets").await;
        let text = String::from_utf8(page.bytes).expect("text");
        let (_, rest) = text.split_once("name=\"csrf\" value=\"").expect("a form");
        browser.csrf = rest.split('"').next().expect("a word").to_owned();
        browser
    }

    pub async fn get(&self, lab: &Lab, path: &str) -> Reply {
        call(&lab.router, Method::GET, path, None, &[("cookie", &self.cookie)], String::new()).await
    }

    pub async fn post(&self, lab: &Lab, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut all = vec![("csrf", self.csrf.as_str())];
        all.extend(fields);
        send(lab, path, &[("cookie", &self.cookie)], &all).await
    }
}

pub async fn send(lab: &Lab, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Reply {
    let mut headers = headers.to_vec();
    headers.push(("content-type", "application/x-www-form-urlencoded"));
    call(&lab.router, Method::POST, path, None, &headers, encoded(fields)).await
}

pub fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.bytes).into_owned()
}

#[test]
fn every_page_keeps_to_its_roles() {
    block_on(async {
        let lab = lab();
        lab.service.refresh_due().await;
        let release =
            lab.sql("SELECT COUNT(*) FROM visits", "0.1").await.json()["release"].as_str().expect("id").to_owned();
        // A person whose token may be revoked while the others go on.
        people::add_person(lab.service.ledger(), "eve", Role::Viewer, "sam", 0).expect("eve");
        let browsers = [
            (None, None),
            (Some(Role::Viewer), Some(Browser::new(&lab, &lab.viewer).await)),
            (Some(Role::Researcher), Some(Browser::new(&lab, &lab.researcher).await)),
            (Some(Role::Steward), Some(Browser::new(&lab, &lab.steward).await)),
        ];
        let address = format!("/answers/{release}");
        for PageRoute { method, path, roles, .. } in PAGES.iter().filter(|page| !page.path.starts_with("/sign")) {
            let values = [
                ("/assets/{name}", "/assets/console.css"),
                ("/s/{name}", "/s/regions"),
                ("/statistics/{name}", "/statistics/regions"),
                ("/answers/{name}", address.as_str()),
                ("{topic}", "asking"),
                ("/people/{name}", "/people/eve"),
                ("/d/{name}", "/d/glance"),
                ("{name}", "visits"),
                ("{id}", release.as_str()),
                ("{number}", "1"),
            ];
            let concrete = filled(path, &values);
            for (role, browser) in &browsers {
                let reply = match (browser, *method) {
                    (Some(browser), "GET") => browser.get(&lab, &concrete).await,
                    (Some(browser), _) => browser.post(&lab, &concrete, &[]).await,
                    (None, "GET") => call(&lab.router, Method::GET, &concrete, None, &[], String::new()).await,
                    (None, _) => send(&lab, &concrete, &[], &[]).await,
                };
                let is_for = roles.is_empty() || role.is_some_and(|role| roles.contains(&role));
                let what = format!("{method} {concrete} as {role:?}: {}", reply.status);
                let to_sign_in = reply.headers.get("location").is_some_and(|place| {
                    place.to_str().is_ok_and(|place| place == "/sign-in" || place.starts_with("/sign-in?"))
                });
                assert_eq!(to_sign_in, !is_for && role.is_none(), "{what}");
                assert_eq!(reply.status == StatusCode::FORBIDDEN, !is_for && role.is_some(), "{what}");
                assert!(!reply.status.is_server_error(), "{what}: {}", text(&reply));
                // The counts from sealing are exact, and only for stewards.
                let is_exact = text(&reply).contains("Sealing's report") || text(&reply).contains("Rows read");
                assert_eq!(is_exact, concrete == "/datasets/visits" && *role == Some(Role::Steward), "{what}");
                if is_for && *method == "GET" && !reply.status.is_redirection() {
                    assert_eq!(reply.status, StatusCode::OK, "{what}: {}", text(&reply));
                    check_page(&concrete, &reply);
                }
            }
        }
    });
}

/// Checks that a page has nothing inline, nothing from other sites, and no unescaped text of people.
fn check_page(path: &str, reply: &Reply) {
    let is_page = reply.headers["content-type"].to_str().is_ok_and(|kind| kind.starts_with("text/html"));
    if !is_page {
        return;
    }
    let policy = reply.headers["content-security-policy"].to_str().expect("text");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
    assert_eq!(reply.headers["x-content-type-options"], "nosniff");
    let page = text(reply);
    for banned in [
        " style=",
        "<style",
        " onclick",
        " onload",
        "javascript:",
        "hx-on",
        "<script>alert",
        "src=\"http",
        "href=\"http",
        "action=\"http",
    ] {
        let found = page.find(banned).map(|at| &page[at.saturating_sub(60)..(at + 60).min(page.len())]);
        assert!(found.is_none(), "{path} holds {banned}: {found:?}");
    }
    let ids: Vec<_> = page.match_indices(" id=\"").map(|(at, _)| page[at + 5..].split('"').next()).collect();
    let mut single = ids.clone();
    single.sort_unstable();
    single.dedup();
    assert_eq!(single.len(), ids.len(), "{path}: an id stands twice");
}

#[test]
fn forms_count_only_with_the_word_of_their_own_session() {
    block_on(async {
        let lab = lab();
        let (steward, researcher) = (Browser::new(&lab, &lab.steward).await, Browser::new(&lab, &lab.researcher).await);
        let again = Browser::new(&lab, &lab.steward).await;
        let head = lab.head();
        let fields =
            [("kind", "researcher"), ("name", "ada"), ("dataset", "visits"), ("epsilon", "2"), ("reason", "r")];
        let cookie = ("cookie", steward.cookie.as_str());
        let with = |csrf: &str| {
            let mut all = vec![("csrf".to_owned(), csrf.to_owned())];
            all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            all
        };
        // No token, an invented one, another person's, and that of another session of the same person.
        for csrf in ["", "00", &researcher.csrf, &again.csrf] {
            let owned = with(csrf);
            let all: Vec<_> = owned.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let reply = send(&lab, "/grants", &[cookie], &all).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{csrf}: {}", text(&reply));
        }
        let owned = with(&steward.csrf);
        let all: Vec<_> = owned.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        for foreign in
            [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")]
        {
            let reply = send(&lab, "/grants", &[cookie, ("host", "tacit.example"), foreign], &all).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{foreign:?}");
        }
        // A researcher's session cannot send a steward's forms.
        let reply = researcher.post(&lab, "/grants", &fields).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN);
        // A cookie alone has no effect at the API, which other sites might make a browser call.
        let body = r#"{"researcher":"ada","dataset":"visits","epsilon":"2","reason":"r"}"#.to_owned();
        let reply = call(&lab.router, Method::POST, "/v1/grants", None, &[cookie], body).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        assert_eq!(lab.head(), head, "nothing was written");
        let reply =
            send(&lab, "/grants", &[cookie, ("origin", "http://tacit.example"), ("host", "tacit.example")], &all).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", text(&reply));
        assert_ne!(lab.head(), head);
    });
}

/// A clock that the test sets.
struct SetClock(AtomicU64);

impl Clock for SetClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn a_cookie_ends_with_its_token_and_with_time_and_cannot_be_changed() {
    block_on(async {
        let clock = Arc::new(SetClock(AtomicU64::new(1_790_000_000_000)));
        let lab = Lab::publishing(&policy(GAUSSIAN), &[], "1", clock.clone());
        let browser = Browser::new(&lab, &lab.researcher).await;
        let is_in = async |cookie: &str| {
            let reply = call(&lab.router, Method::GET, "/ask", None, &[("cookie", cookie)], String::new()).await;
            reply.status == StatusCode::OK
        };
        assert!(is_in(&browser.cookie).await);
        let (name, value) = browser.cookie.split_once('=').expect("a pair");
        for at in [0, 10, 40, 60, 111, 112, 150, value.len() - 1] {
            let mut changed = value.as_bytes().to_vec();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            let changed = format!("{name}={}", String::from_utf8(changed).expect("text"));
            assert!(!is_in(&changed).await, "digit {at}");
        }
        for other in ["", "tacit=", "tacit=zz", "tacit=00", &format!("tacit={}", "0".repeat(176)), "other=1"] {
            assert!(!is_in(other).await, "{other}");
        }
        // A token is not accepted in place of the cookie, and neither is a cookie signed by another server.
        assert!(!is_in(&format!("tacit={}", lab.researcher)).await);
        let other = tacit::http::router(Arc::clone(&lab.service), tacit::http::Settings::default());
        let reply = call(&other, Method::GET, "/ask", None, &[("cookie", &browser.cookie)], String::new()).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER);
        clock.0.fetch_add(8 * 60 * 60 * 1_000, Ordering::Relaxed);
        assert!(!is_in(&browser.cookie).await, "eight hours");
        let fresh = Browser::new(&lab, &lab.researcher).await;
        assert!(is_in(&fresh.cookie).await);
        people::revoke_token(lab.service.ledger(), "ada", "sam", 0).expect("revoked");
        assert!(!is_in(&fresh.cookie).await, "a revoked token ends its sessions");
        assert_eq!(send(&lab, "/sign-in", &[], &[("token", &lab.researcher)]).await.status, StatusCode::UNAUTHORIZED);
    });
}

#[test]
fn tricks_with_paths_names_and_fields_do_nothing() {
    block_on(async {
        let lab = lab();
        lab.service.refresh_due().await;
        let steward = Browser::new(&lab, &lab.steward).await;
        for path in [
            "/assets/..%2f..%2fCargo.toml",
            "/assets/%2e%2e/console.css",
            "/s/..%2f..%2fetc%2fpasswd",
            "/s/%00",
            "/v1/statistics/..%2fledger",
            "/v1/statistics/regions%00.csv",
            "/v1/statistics/regions.csv.exe",
            "/datasets/%ff",
            "/history/..%2f..",
            "/transparency/%3Cscript%3E",
            "//evil.example/%2e%2e",
        ] {
            let reply = steward.get(&lab, path).await;
            assert!(reply.status.is_client_error(), "{path}: {}", reply.status);
            assert!(!text(&reply).contains("<script>"), "{path}");
        }
        let head = lab.head();
        for name in ["a\r\nSet-Cookie: x=1", "a\nb", "../etc", "<img>", "(statistics)", "", "ä", "a b"] {
            let reply = steward.post(&lab, "/people", &[("name", name), ("role", "steward")]).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{name:?}");
            assert!(!reply.headers.contains_key("set-cookie"));
            assert!(!text(&reply).contains("<img>"), "it is escaped");
        }
        let double = format!("csrf={}&name=a&name=b&role=viewer", steward.csrf);
        let headers = [("cookie", steward.cookie.as_str())];
        let reply = call(&lab.router, Method::POST, "/people", None, &headers, double).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "a field twice");
        let reply = steward.post(&lab, "/people/sam/revoke", &[]).await;
        assert!(
            reply.status == StatusCode::BAD_REQUEST && text(&reply).contains("the last steward"),
            "{}",
            text(&reply)
        );
        assert_eq!(lab.head(), head);
        // The notice of what was done is one of our own sentences, whatever a link contains.
        let reply = steward.get(&lab, "/accounts?done=%3Cb%3Epaid%3C/b%3E").await;
        assert!(!text(&reply).contains("paid"), "a link says nothing for us");
        // Purposes are shown to everybody, as plain text.
        let body = serde_json::json!({"sql": "SELECT COUNT(*) FROM visits WHERE age > 40", "epsilon": "0.1",
            "purpose": "<script>alert(1)</script> & more"});
        assert_eq!(lab.ask(&body).await.status, StatusCode::OK);
        let reply = call(&lab.router, Method::GET, "/transparency/visits", None, &[], String::new()).await;
        assert!(text(&reply).contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; more"), "{}", text(&reply));
    });
}

#[test]
fn a_page_that_is_sent_twice_pays_once() {
    block_on(async {
        let lab = lab();
        let browser = Browser::new(&lab, &lab.researcher).await;
        let fields = [
            ("sql", "SELECT region, COUNT(*) AS visits FROM visits GROUP BY region"),
            ("by", "epsilon"),
            ("epsilon", "0.2"),
            ("purpose", "a test"),
            ("key", "ask_1"),
            ("do", "pay"),
            ("quoted", "0.2"),
        ];
        let head = lab.head();
        let mut priced = fields;
        priced[5] = ("do", "price");
        let page = text(&followed(&browser, &lab, &browser.post(&lab, "/ask", &priced).await).await);
        assert!(
            page.contains("ε 0.2") && page.contains("±"),
            "the price and the error stand before the payment: {page}"
        );
        for bad in [("epsilon", "many"), ("sql", "SELECT regio FROM visits"), ("sql", "DROP TABLE visits")] {
            let mut wrong = fields;
            let at = wrong.iter().position(|(name, _)| *name == bad.0).expect("a field");
            wrong[at] = bad;
            let reply = browser.post(&lab, "/ask", &wrong).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{bad:?}");
            assert!(text(&reply).contains("note bad"), "it says why, beside the question: {bad:?}");
        }
        for unseen in ["", "0.1"] {
            let mut blind = fields;
            blind[6] = ("quoted", unseen);
            let page = text(&followed(&browser, &lab, &browser.post(&lab, "/ask", &blind).await).await);
            assert!(page.contains("Nothing was paid yet") && page.contains("ε 0.2"), "{page}");
        }
        assert_eq!(lab.head(), head, "nothing was charged");
        // A double click sends the form twice at once.
        let (first, twice) = tokio::join!(browser.post(&lab, "/ask", &fields), browser.post(&lab, "/ask", &fields));
        let (first, twice) = (place(&first), place(&twice));
        assert_eq!(first, twice);
        assert!(first.starts_with("/answers/rel_") && first.contains("?asked="), "{first}");
        let page = text(&browser.get(&lab, &first).await);
        assert!(page.contains("<svg") && page.contains("north") && page.contains("a test"), "a chart and a table");
        assert!(page.contains("(ε 0.2)") && page.contains("% left"), "what it cost, and what is left: {page}");
        let after = lab.head();
        assert_eq!(place(&browser.post(&lab, "/ask", &fields).await), first, "sent again, it leads to the same page");
        assert_eq!(text(&browser.get(&lab, &first).await), page, "reloading shows it again");
        assert_eq!(lab.head(), after, "and nothing more was paid");
    });
}

/// Where a form leads to.
pub fn place(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", text(reply));
    reply.headers["location"].to_str().expect("text").to_owned()
}

/// The page that a form leads to.
pub async fn followed(browser: &Browser, lab: &Lab, reply: &Reply) -> Reply {
    let page = browser.get(lab, &place(reply)).await;
    assert_eq!(page.status, StatusCode::OK, "{}", text(&page));
    page
}

/// The first click shows the price and the second one spends it; a form that does not name the current price spends nothing.
#[test]
fn statistics_are_drawn_at_the_second_click() {
    block_on(async {
        let file = [("regions", STATISTIC)];
        let lab = Lab::waiting(&policy(GAUSSIAN), &file, "1", Arc::new(StoppedClock));
        let steward = Browser::new(&lab, &lab.steward).await;
        let head = lab.head();
        let gallery = text(&steward.get(&lab, "/statistics").await);
        assert!(gallery.contains("Publish for epsilon 0.1") && gallery.contains("to confirm"), "{gallery}");
        assert!(!gallery.contains("/publish\"") && !gallery.contains("/refresh\""), "the first click spends nothing");
        for act in ["publish", "refresh"] {
            for price in [&[][..], &[("epsilon", "0.05")], &[("epsilon", "0.2")], &[("epsilon", "x")]] {
                let reply = steward.post(&lab, &format!("/statistics/regions/{act}"), price).await;
                assert_eq!(
                    (reply.status, &reply.headers["location"]),
                    (StatusCode::SEE_OTHER, &"/statistics/regions/draw".parse().expect("a path")),
                    "{act}"
                );
            }
        }
        let reply = steward.post(&lab, "/statistics/regions/refresh", &[("epsilon", "0.1")]).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "it is not confirmed: {}", text(&reply));
        let page = text(&steward.get(&lab, "/statistics/regions/draw").await);
        assert!(
            page.contains("action=\"/statistics/regions/publish\"") && page.contains("name=\"epsilon\" value=\"0.1\""),
            "{page}"
        );
        assert!(!page.contains("<script>alert"), "titles are text");
        assert_eq!(lab.head(), head, "looking is free");
        let waiting = text(&steward.get(&lab, "/s/regions").await);
        assert!(
            waiting.contains("it waits for a steward to confirm its price")
                && waiting.contains("/statistics/regions/draw"),
            "{waiting}"
        );
        let done = steward.post(&lab, "/statistics/regions/publish", &[("epsilon", "0.1")]).await;
        assert_eq!(done.headers["location"], "/statistics?done=published");
        let after = lab.head();
        assert_ne!(after, head);
        steward.post(&lab, "/statistics/regions/publish", &[("epsilon", "0.1")]).await;
        assert_eq!(lab.head(), after, "sent twice, it is paid once");
        let done = steward.post(&lab, "/statistics/regions/refresh", &[("epsilon", "0.1")]).await;
        assert_eq!(done.headers["location"], "/statistics?done=refreshed");
        assert_ne!(lab.head(), after);
        let reply = steward.get(&lab, "/statistics/nothing/draw").await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
    });
}

/// On the people page, a viewer who is added sees the ticked datasets, and nothing if none is ticked.
#[test]
fn viewers_are_added_with_what_is_ticked() {
    block_on(async {
        let lab = lab();
        let steward = Browser::new(&lab, &lab.steward).await;
        let viewing = |name: &str| {
            tacit::kernel::budget::ledger::read(lab.service.ledger(), |book| book.viewing(name).map(|seen| seen.len()))
        };
        for (name, fields, wanted) in [
            ("one", &[("listed", "yes"), ("sees-visits", "yes")][..], Some(1)),
            ("two", &[("listed", "yes")], Some(0)),
            ("old", &[], None),
        ] {
            let mut all = vec![("name", name), ("role", "viewer")];
            all.extend(fields);
            assert_eq!(steward.post(&lab, "/people", &all).await.status, StatusCode::OK, "{name}");
            assert_eq!(viewing(name), wanted, "{name}");
        }
        let wrong = [("name", "res"), ("role", "researcher"), ("sees-visits", "yes")];
        assert_eq!(steward.post(&lab, "/people", &wrong).await.status, StatusCode::BAD_REQUEST);
        let unknown = [("name", "vee"), ("role", "viewer"), ("sees-nowhere", "yes")];
        assert_eq!(steward.post(&lab, "/people", &unknown).await.status, StatusCode::NOT_FOUND);
        assert_eq!(
            steward.post(&lab, "/people/old/datasets", &[("sees-visits", "yes")]).await.status,
            StatusCode::SEE_OTHER
        );
        assert_eq!(viewing("old"), Some(1));
    });
}

#[test]
fn ten_thousand_people_are_found_page_by_page() {
    block_on(async {
        let lab = lab();
        let people: String =
            (0..10_000).map(|n| format!("[[person]]\nname = \"p{n:05}\"\nrole = \"viewer\"\n")).collect();
        let body = serde_json::json!({"files": [{"name": "people.toml", "text": people}], "reason": "many"});
        let reply = lab.act("/v1/apply", &body).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.code());
        let steward = Browser::new(&lab, &lab.steward).await;
        let first = text(&steward.get(&lab, "/people").await);
        assert_eq!(first.matches("/revoke\"").count(), 100);
        assert!(first.contains("managed by files") && first.contains("rel=\"next\""));
        let last = text(&steward.get(&lab, "/people?find=p0999&after=p09995").await);
        assert!(last.contains("p09999") && !last.contains("p09995<") && !last.contains("rel=\"next\""), "{last}");
    });
}

/// htmx is the file that its authors publish, the editor and the fonts are what their recipes make, and their licences are included beside them.
#[test]
fn scripts_are_what_they_are_said_to_be() {
    use sha2::Digest;
    let found = assets::ALL.iter().find(|asset| asset.name == "htmx.min.js").expect("a file");
    let digest = sha2::Sha256::digest(found.bytes);
    assert_eq!(hex::encode(digest), assets::HTMX_SHA256);
    let licence = assets::ALL.iter().find(|asset| asset.name == "htmx.LICENSE").expect("a licence");
    assert!(String::from_utf8_lossy(licence.bytes).contains("Zero-Clause BSD"));
    let editor = assets::ALL.iter().find(|asset| asset.name == "editor.min.js").expect("a file");
    assert_eq!(hex::encode(sha2::Sha256::digest(editor.bytes)), assets::EDITOR_SHA256);
    for (font, known) in assets::PICTURE_FONTS.iter().zip(assets::PICTURE_FONTS_SHA256) {
        assert_eq!(hex::encode(sha2::Sha256::digest(font)), known);
    }
    assert!(assets::PICTURE_FONTS.iter().map(|font| font.len()).sum::<usize>() <= 200 << 10);
    let licence = include_str!("../../src/render/assets/picture/LICENSE");
    assert!(licence.contains("DejaVu changes are in public domain") && licence.contains("Arev Fonts Copyright"));
    let licences = assets::ALL.iter().find(|asset| asset.name == "editor.LICENSE").expect("licences");
    let licences = String::from_utf8_lossy(licences.bytes);
    let lock = include_str!("../../src/render/assets/editor/package-lock.json");
    assert!(!lock.contains("resolved") && !lock.contains("http"), "the recipe names no registry");
    for part in ["@codemirror/view", "@codemirror/state", "@codemirror/lang-sql", "@lezer/common", "style-mod"] {
        assert!(licences.contains(&format!("{part} ")) && lock.contains(&format!("node_modules/{part}\"")), "{part}");
    }
    assert_eq!(licences.matches("(MIT)").count(), licences.matches("Permission is hereby granted").count());
    let loaded = |names: &[&str]| -> usize {
        let of = assets::ALL.iter().filter(|one| names.contains(&one.name));
        of.map(|one| one.compressed().map_or(one.bytes.len(), <[u8]>::len)).sum()
    };
    let (first, all) =
        (["console.css", "htmx.min.js", "icon.svg"], ["console.css", "htmx.min.js", "icon.svg", "editor.min.js"]);
    println!("as transferred: {} bytes, with the editor {}", loaded(&first), loaded(&all));
    assert!(loaded(&first) < 40_000 && loaded(&all) < 200_000, "beside the page itself");
}
