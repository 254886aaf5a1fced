//! Tokens as passwords: who may read by them, and who is asked for one.

use axum::http::{Method, StatusCode, header};
use base64::Engine as _;
use serde_json::json;

use super::Shown;
use crate::support::{Reply, block_on, call};

/// What the response says about how to be let in.
fn challenges(reply: &Reply) -> Vec<&str> {
    reply.headers.get_all(header::WWW_AUTHENTICATE).iter().map(|value| value.to_str().expect("text")).collect()
}

fn basic(name: &str, password: &str) -> String {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
    format!("Basic {pair}")
}

/// Programs that know passwords alone read with the token as password; browsers send passwords by themselves, so nothing is done by them.
#[test]
fn a_token_is_the_password_of_whoever_reads() {
    block_on(async {
        let shown = Shown::new().await;
        let viewer = shown.lab.viewer.clone();
        for path in ["/v1/statistics/older.csv", "/v1/statistics", "/v1/datasets", "/statistics/metrics"] {
            let by_token = call(&shown.lab.router, Method::GET, path, Some(&viewer), &[], String::new()).await;
            for name in ["", "token", "vic", "någon"] {
                let reply = shown.get(path, &[("authorization", &basic(name, &viewer))]).await;
                assert_eq!((reply.status, &reply.bytes), (StatusCode::OK, &by_token.bytes), "{path} as {name}");
            }
        }
        let password = basic("a", &viewer);
        let headers = [("authorization", password.as_str())];
        let head = call(&shown.lab.router, Method::HEAD, "/v1/statistics/older", None, &headers, String::new()).await;
        assert_eq!(head.status, StatusCode::OK);
        let lab = &shown.lab;
        let question = json!({"sql": "SELECT COUNT(*) AS n FROM visits", "epsilon": "0.1"}).to_string();
        let (head, password) = (lab.head(), basic("ada", &lab.researcher));
        let acted =
            call(&lab.router, Method::POST, "/v1/queries", None, &[("authorization", &password)], question).await;
        assert_eq!((acted.status, lab.head()), (StatusCode::UNAUTHORIZED, head), "a password asks nothing");
        let garbled = [
            basic("ada", "wrong"),
            basic("ada", ""),
            "Basic".to_owned(),
            "Basic !".to_owned(),
            "Basic YWRh".to_owned(),
        ];
        for wrong in &garbled {
            let reply = shown.get("/v1/statistics/older.csv", &[("authorization", wrong)]).await;
            assert_eq!((reply.status, reply.code().as_str()), (StatusCode::UNAUTHORIZED, "unauthenticated"), "{wrong}");
        }
    });
}

/// A program that waits until it is asked for a password is asked where it may read; scripts of pages are not, because the browser would
/// ask in their place.
#[test]
fn whoever_may_send_a_password_is_asked_for_it() {
    block_on(async {
        let shown = Shown::new().await;
        let release = format!("/v1/releases/{}.csv", shown.release);
        for path in ["/v1/statistics/older.csv", "/v1/statistics/nothing", &release, "/v1/releases/rel_none"] {
            for headers in [&[][..], &[("sec-fetch-mode", "navigate")], &[("authorization", "Bearer wrong")]] {
                let reply = shown.get(path, headers).await;
                assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{path}");
                assert_eq!(
                    challenges(&reply),
                    ["Bearer", "Basic realm=\"tacit\", charset=\"UTF-8\""],
                    "{path} {headers:?}"
                );
            }
            for mode in ["cors", "no-cors", "same-origin"] {
                let reply = shown.get(path, &[("sec-fetch-mode", mode)]).await;
                assert_eq!(challenges(&reply), ["Bearer"], "{path} {mode}");
            }
        }
        for path in ["/v1/datasets", "/v1/ledger"] {
            assert_eq!(challenges(&shown.get(path, &[]).await), ["Bearer"], "{path}");
        }
    });
}
