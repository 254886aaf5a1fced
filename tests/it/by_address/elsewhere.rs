//! Pages of other sites, and monitoring.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::json;
use tacit::http::Settings;

use super::Shown;
use crate::console::Browser;
use crate::support::{Reply, block_on, call};

/// A page of a configured origin reads what is public, and what it opens with a token or a link; never by a cookie.
#[test]
fn pages_of_other_sites_read_what_is_public_or_what_they_have_a_token_for() {
    block_on(async {
        let mut shown = Shown::new().await;
        let settings = |origin: &str| Settings { origins: vec![origin.to_owned()], ..Settings::default() };
        let site = "https://www.clinic.example";
        let release = format!("/v1/releases/{}.csv", shown.release);
        for (known, named) in [(site, site), ("*", "*")] {
            let router = tacit::http::router(Arc::clone(&shown.lab.service), settings(known));
            let ask = async |method: Method, path: &str, headers: &[(&str, &str)]| {
                call(&router, method, path, None, headers, String::new()).await
            };
            let asked = [
                ("origin", site),
                ("access-control-request-method", "GET"),
                ("access-control-request-headers", "authorization,range"),
            ];
            let mut answers = Vec::new();
            for path in [
                "/v1/statistics",
                "/v1/statistics/open.csv",
                "/v1/statistics/older.csv",
                "/v1/statistics/nothing",
                "/v1/releases",
                &release,
                "/v1/releases/rel_none",
            ] {
                let before = ask(Method::OPTIONS, path, &asked).await;
                assert_eq!((before.status, before.bytes.len()), (StatusCode::NO_CONTENT, 0), "{path}");
                assert_eq!(before.headers["access-control-allow-origin"], named, "{path}");
                assert_eq!(before.headers["access-control-allow-methods"], "GET, HEAD, OPTIONS", "{path}");
                let allowed = before.headers["access-control-allow-headers"].to_str().expect("text");
                for header in ["authorization", "range", "if-range", "if-none-match"] {
                    assert!(allowed.contains(header), "{path}");
                }
                assert!(!before.headers.contains_key("access-control-allow-credentials"), "{path}");
                answers.push(before.headers);
                let other = ask(Method::OPTIONS, path, &[("origin", "https://other.example")]).await;
                assert_eq!(other.headers.contains_key("access-control-allow-origin"), known == "*", "{path}");
            }
            answers.iter_mut().for_each(|headers| drop(headers.remove("cache-control")));
            assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "nothing is told of what there is: {answers:?}");

            let origin = ("origin", site);
            let bearer = format!("Bearer {}", shown.lab.researcher);
            let open =
                |reply: &Reply| reply.headers.get("access-control-allow-origin").is_some_and(|value| value == named);
            assert!(open(&ask(Method::GET, "/v1/statistics/open.csv", &[origin]).await));
            for path in ["/v1/statistics/older.csv", &release] {
                let by_token = ask(Method::GET, path, &[origin, ("authorization", &bearer)]).await;
                assert!(by_token.status == StatusCode::OK && open(&by_token), "{path}");
                let exposed = by_token.headers["access-control-expose-headers"].to_str().expect("text");
                assert!(exposed.contains("content-range"));
                let refused = ask(Method::GET, path, &[origin]).await;
                assert!(refused.status == StatusCode::UNAUTHORIZED && !open(&refused), "{path}");
            }
            let body = json!({"statistic": "older"}).to_string();
            let link = call(&router, Method::POST, "/v1/links", Some(&shown.lab.viewer), &[], body).await.json();
            let by_link = ask(Method::GET, link["address"].as_str().expect("an address"), &[origin]).await;
            assert!(by_link.status == StatusCode::OK && open(&by_link));
        }
        // A page cannot use the session of whoever looks at it.
        shown.lab.router = tacit::http::router(Arc::clone(&shown.lab.service), settings("*"));
        let vic = Browser::new(&shown.lab, &shown.lab.viewer).await;
        let by_cookie = shown.get("/v1/statistics/older.csv", &[("cookie", &vic.cookie), ("origin", site)]).await;
        assert_eq!(by_cookie.status, StatusCode::OK);
        assert!(!by_cookie.headers.contains_key("access-control-allow-origin"));
    });
}

/// Published numbers with the ends of their intervals, for each reader those that they may read.
#[test]
fn monitoring_reads_published_numbers_with_their_errors() {
    block_on(async {
        let shown = Shown::new().await;
        let head = shown.lab.head();
        let text = async |token: Option<&str>| {
            let reply = call(&shown.lab.router, Method::GET, "/statistics/metrics", token, &[], String::new()).await;
            assert_eq!(
                (reply.status, reply.headers["content-type"].to_str().expect("text")),
                (StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8")
            );
            String::from_utf8(reply.bytes).expect("text")
        };
        let public = text(None).await;
        let rows = shown.get("/v1/statistics/open", &[]).await.rows();
        for row in &rows {
            let region = row["region"].as_str().expect("a region");
            for (metric, value) in
                [("visits", &row["visits"]), ("visits_low", &row["visits_low"]), ("visits_high", &row["visits_high"])]
            {
                let line = format!(
                    "tacit_published_{metric}{{statistic=\"open\",output=\"visits\",region=\"{region}\"}} {value}\n"
                );
                assert!(public.contains(&line), "{line} in {public}");
            }
        }
        assert!(!public.contains("older") && public.contains("\ntacit_published_left_out 0\n"), "{public}");
        for line in public.lines() {
            let is_sample = line.starts_with("tacit_published_")
                && line.split_once("} ").is_none_or(|(_, value)| value.parse::<f64>().is_ok());
            assert!(is_sample || line.starts_with("# HELP tacit_") || line.starts_with("# TYPE tacit_"), "{line}");
        }
        for token in [&shown.lab.viewer, &shown.lab.researcher, &shown.lab.steward] {
            let own = text(Some(token)).await;
            assert!(own.contains("tacit_published_visits{statistic=\"older\",output=\"visits\"} "), "{own}");
            assert_eq!(own.matches("# TYPE tacit_published_visits gauge\n").count(), 1, "{own}");
        }
        assert_eq!(shown.lab.head(), head, "reading spends nothing");
        assert_eq!(shown.lab.get("/statistics/metrics", "wrong").await.status, StatusCode::UNAUTHORIZED);
    });
}
