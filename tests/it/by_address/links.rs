//! Signed links: what they open, when they end, and who makes them.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use tacit::http::LinkKey;
use tacit::kernel::clock::Clock;

use super::Shown;
use crate::console::Browser;
use crate::support::{Reply, block_on, call};

/// A clock that the test sets.
struct SetClock(AtomicU64);

impl Clock for SetClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Shown {
    /// Makes a link as the holder of a token.
    async fn link(&self, token: &str, body: &Value) -> Reply {
        call(&self.lab.router, Method::POST, "/v1/links", Some(token), &[], body.to_string()).await
    }

    /// The address of a link that was made.
    async fn linked(&self, token: &str, body: &Value) -> String {
        let reply = self.link(token, body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&reply.bytes));
        reply.json()["address"].as_str().expect("an address").to_owned()
    }
}

#[test]
fn a_link_opens_one_thing_in_every_form_and_nothing_else() {
    block_on(async {
        let shown = Shown::new().await;
        let (viewer, researcher) = (shown.lab.viewer.clone(), shown.lab.researcher.clone());
        let things = [
            (viewer, json!({"statistic": "older", "format": "csv"}), "/v1/statistics/older".to_owned()),
            (
                researcher,
                json!({"release": shown.release, "format": "csv", "days": 1}),
                format!("/v1/releases/{}", shown.release),
            ),
        ];
        for (token, body, path) in things {
            let address = shown.linked(&token, &body).await;
            assert!(address.starts_with(&format!("{path}.csv?link=")), "{address}");
            let link = address.split_once("?link=").expect("a link").1;
            for ending in [".json", ".csv", ".parquet", ".txt", ""] {
                let by_link = shown.get(&format!("{path}{ending}?link={link}"), &[("range", "bytes=0-9")]).await;
                let own = call(
                    &shown.lab.router,
                    Method::GET,
                    &format!("{path}{ending}"),
                    Some(&token),
                    &[("range", "bytes=0-9")],
                    String::new(),
                )
                .await;
                assert_eq!(
                    (by_link.status, &by_link.bytes),
                    (StatusCode::PARTIAL_CONTENT, &own.bytes),
                    "{path}{ending}"
                );
                assert_eq!(by_link.headers["cache-control"], "private, max-age=60", "no longer than a link may live");
            }
            for other in [
                "/v1/statistics/nothing.csv",
                "/v1/statistics/open.csv",
                "/v1/releases/rel_none.csv",
                "/v1/statistics/olde",
                "/v1/statistics/older2.csv",
            ] {
                let reply = shown.get(&format!("{other}?link={link}"), &[]).await;
                assert_eq!(
                    (reply.status, reply.code().as_str()),
                    (StatusCode::UNAUTHORIZED, "unauthenticated"),
                    "{other}"
                );
            }
            for elsewhere in ["/v1/statistics", "/v1/releases", "/v1/datasets", "/v1/ledger"] {
                let (plain, linked) =
                    (shown.get(elsewhere, &[]).await, shown.get(&format!("{elsewhere}?link={link}"), &[]).await);
                assert!(linked.status.is_client_error() || linked.bytes == plain.bytes, "{elsewhere}");
            }
            let wrong = call(&shown.lab.router, Method::GET, &address, Some("wrong"), &[], String::new()).await;
            assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "a link does not save a wrong token");
        }
    });
}

#[test]
fn a_link_ends_with_its_time_its_token_and_what_its_maker_may_see() {
    block_on(async {
        let clock = Arc::new(SetClock(AtomicU64::new(1_790_000_000_000)));
        let shown = Shown::clocked(clock.clone()).await;
        let token = |reply: Reply| reply.json()["token"].as_str().expect("a token").to_owned();
        let people = json!({"name": "nora", "role": "viewer", "datasets": ["visits"]});
        let nora = token(shown.lab.act("/v1/researchers", &people).await);
        let soon = json!({"name": "laptop", "expires": "2026-09-23"});
        let short = token(shown.lab.act("/v1/researchers/nora/tokens", &soon).await);
        let body = json!({"statistic": "older", "days": 30});
        let (long_link, short_link) = (shown.linked(&nora, &body).await, shown.link(&short, &body).await.json());
        assert_eq!(short_link["ends_at"], "2026-09-24T00:00:00.000Z", "it ends with its token");
        let status = async |address: &str| shown.get(address, &[]).await.status;
        let short_link = short_link["address"].as_str().expect("an address").to_owned();
        assert_eq!((status(&long_link).await, status(&short_link).await), (StatusCode::OK, StatusCode::OK));
        clock.0.fetch_add(4 * 24 * 60 * 60 * 1_000, Ordering::Relaxed);
        assert_eq!((status(&long_link).await, status(&short_link).await), (StatusCode::OK, StatusCode::UNAUTHORIZED));
        clock.0.fetch_add(26 * 24 * 60 * 60 * 1_000, Ordering::Relaxed);
        assert_eq!(status(&long_link).await, StatusCode::UNAUTHORIZED, "its time is over");

        let link = shown.linked(&nora, &body).await;
        assert_eq!(status(&link).await, StatusCode::OK);
        let none = call(
            &shown.lab.router,
            Method::PUT,
            "/v1/researchers/nora/datasets",
            Some(&shown.lab.steward),
            &[],
            json!({"datasets": []}).to_string(),
        )
        .await;
        assert!(none.status.is_success(), "{}", String::from_utf8_lossy(&none.bytes));
        assert_eq!(status(&link).await, StatusCode::NOT_FOUND, "its maker may not see it any more");
        let again = json!({"datasets": ["visits"]}).to_string();
        call(&shown.lab.router, Method::PUT, "/v1/researchers/nora/datasets", Some(&shown.lab.steward), &[], again)
            .await;
        assert_eq!(status(&link).await, StatusCode::OK);
        call(
            &shown.lab.router,
            Method::DELETE,
            "/v1/researchers/nora/token",
            Some(&shown.lab.steward),
            &[],
            json!({}).to_string(),
        )
        .await;
        let ended = shown.get(&link, &[]).await;
        assert_eq!((ended.status, ended.code().as_str()), (StatusCode::UNAUTHORIZED, "unauthenticated"), "revoked");
        assert!(!ended.headers.contains_key(header::ETAG));
    });
}

#[test]
fn a_link_is_made_only_for_what_its_maker_sees_and_for_a_bounded_time() {
    block_on(async {
        let shown = Shown::new().await;
        let lab = &shown.lab;
        for (token, body, status, code) in [
            (&lab.viewer, json!({"statistic": "nothing"}), StatusCode::NOT_FOUND, "not-found"),
            (&lab.viewer, json!({"release": shown.release}), StatusCode::FORBIDDEN, "forbidden"),
            (&lab.researcher, json!({"release": "rel_none"}), StatusCode::NOT_FOUND, "not-found"),
            (&lab.viewer, json!({"statistic": "older", "days": 0}), StatusCode::BAD_REQUEST, "invalid-request"),
            (&lab.viewer, json!({"statistic": "older", "days": 91}), StatusCode::BAD_REQUEST, "invalid-request"),
            (&lab.viewer, json!({"statistic": "older", "format": "exe"}), StatusCode::BAD_REQUEST, "invalid-request"),
            (
                &lab.viewer,
                json!({"statistic": "older", "release": "rel_none"}),
                StatusCode::BAD_REQUEST,
                "invalid-request",
            ),
            (&lab.viewer, json!({}), StatusCode::BAD_REQUEST, "invalid-request"),
            (&lab.viewer, json!({"statistic": "older", "role": "steward"}), StatusCode::BAD_REQUEST, "invalid-request"),
        ] {
            let reply = shown.link(token, &body).await;
            assert_eq!((reply.status, reply.code().as_str()), (status, code), "{body}");
        }
        let head = lab.head();
        let link = shown.linked(&lab.steward, &json!({"release": shown.release, "days": 90})).await;
        assert_eq!((shown.get(&link, &[]).await.status, lab.head()), (StatusCode::OK, head), "nothing is written");
    });
}

/// The key of links outlives the server, is its owner's alone, and whoever removes it ends all links.
#[test]
fn the_key_of_links_is_kept_in_the_state_directory() {
    let dir = tempfile::tempdir().expect("a folder");
    let kept = || LinkKey::kept_in(dir.path()).expect("a key");
    let file = dir.path().join("links.key");
    kept();
    let first = std::fs::read(&file).expect("a file");
    assert_eq!((first.len(), std::fs::metadata(&file).expect("a file").permissions().mode() & 0o777), (32, 0o600));
    kept();
    assert_eq!(std::fs::read(&file).expect("a file"), first);
    std::fs::remove_file(&file).expect("removed");
    kept();
    assert_ne!(std::fs::read(&file).expect("a file"), first);
    std::fs::write(&file, "short").expect("written");
    assert!(LinkKey::kept_in(dir.path()).is_err(), "a damaged key is not replaced silently");
}

/// In the console, a form makes the link.
#[test]
fn a_page_makes_a_link_without_scripts() {
    block_on(async {
        let shown = Shown::new().await;
        let vic = Browser::new(&shown.lab, &shown.lab.viewer).await;
        let text = |reply: Reply| String::from_utf8(reply.bytes).expect("text");
        let gallery = text(vic.get(&shown.lab, "/statistics").await);
        assert!(
            gallery.contains("href=\"/statistics/older/link\"") && !gallery.contains("/statistics/open/link"),
            "{gallery}"
        );
        let form = text(vic.get(&shown.lab, "/statistics/older/link").await);
        assert!(form.contains("action=\"/statistics/older/link\"") && form.contains("max=\"90\""), "{form}");
        for (days, accepted) in [("400", "days is 400; accepted is 1 to 90"), ("soon", "accepted is 1 to 90")] {
            let fields = [("format", "parquet"), ("days", days)];
            let again = vic.post(&shown.lab, "/statistics/older/link", &fields).await;
            assert_eq!(again.status, StatusCode::BAD_REQUEST);
            let again = text(again);
            for part in [accepted, &format!("value=\"{days}\""), "value=\"parquet\" selected", "aria-invalid=\"true\""]
            {
                assert!(again.contains(part), "{part}: {again}");
            }
        }
        let made = vic.post(&shown.lab, "/statistics/older/link", &[("format", "parquet"), ("days", "3")]).await;
        let page = text(made);
        let address =
            page.split("<code class=\"token\">").nth(1).and_then(|rest| rest.split('<').next()).expect("an address");
        let path = &address[address.find("/v1/").expect("a path")..];
        assert!(path.starts_with("/v1/statistics/older.parquet?link="), "{page}");
        assert!(shown.get(path, &[]).await.bytes.starts_with(b"PAR1"));
        let ada = Browser::new(&shown.lab, &shown.lab.researcher).await;
        let answer = text(ada.get(&shown.lab, &format!("/answers/{}", shown.release)).await);
        assert!(answer.contains(&format!("href=\"/answers/{}/link\"", shown.release)), "{answer}");
    });
}
