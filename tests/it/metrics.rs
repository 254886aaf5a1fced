//! Metrics, which do not depend on rows.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use tacit::kernel::vault::noise::OpenDp;
use tacit::net::listener::Peer;
use tower::ServiceExt;

use crate::support::{GAUSSIAN, Lab, StoppedClock, block_on, policy, visits};

const STATISTIC: &str =
    "-- title: Older people\n-- epsilon: 0.1\n-- refresh: daily\nSELECT COUNT(*) AS n FROM visits WHERE age > 50";

async fn metrics(lab: &Lab) -> String {
    let reply = lab.get("/metrics", &lab.steward).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", String::from_utf8_lossy(&reply.bytes));
    assert_eq!(reply.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    String::from_utf8(reply.bytes).expect("text")
}

/// Value of a sample, by its name with its labels.
fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find(|line| line.strip_prefix(sample).is_some_and(|rest| rest.starts_with(' ')));
    let line = line.unwrap_or_else(|| panic!("no {sample} in\n{text}"));
    line.rsplit(' ').next().expect("a value").parse().expect("a number")
}

#[test]
fn metrics_are_text_that_prometheus_reads() {
    block_on(async {
        let lab = Lab::publishing(&policy(GAUSSIAN), &[("older", STATISTIC)], "1", Arc::new(StoppedClock));
        lab.service.refresh_due().await;
        assert_eq!(lab.sql("SELECT COUNT(*) FROM visits", "0.5").await.status, StatusCode::OK);
        let text = metrics(&lab).await;
        let mut family = String::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                family = rest.split(' ').next().expect("a name").to_owned();
                assert!(family.starts_with("tacit_"), "{line}");
                continue;
            }
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let kind = rest.strip_prefix(&format!("{family} ")).expect("the same name");
                assert!(
                    matches!(kind, "gauge" | "counter") && (kind == "counter") == family.ends_with("_total"),
                    "{line}"
                );
                continue;
            }
            let (sample, value) = line.rsplit_once(' ').expect("a value");
            let name = sample.split('{').next().expect("a name");
            assert_eq!(name, family, "{line}");
            assert!(name.len() == sample.len() || sample.ends_with("\"}"), "{line}");
            assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
        }
        assert!(text.ends_with('\n'));
        let account = "{dataset=\"visits\",kind=\"researcher\",name=\"ada\"}";
        assert_eq!(value(&text, &format!("tacit_epsilon_cap{account}")), 1.0);
        assert!((value(&text, &format!("tacit_epsilon_spent{account}")) - 0.5).abs() < 1e-6);
        let fraction = value(&text, &format!("tacit_fraction_spent{account}"));
        assert!(fraction > 0.0 && fraction < 1.0, "{fraction}");
        for (sample, wanted) in [
            ("tacit_ready", 1.0),
            ("tacit_datasets", 1.0),
            ("tacit_executing", 0.0),
            ("tacit_releases_total", 2.0),
            ("tacit_requests_open", 0.0),
            ("tacit_people{role=\"steward\",active=\"true\"}", 1.0),
            ("tacit_people{role=\"viewer\",active=\"false\"}", 0.0),
            ("tacit_incidents{dataset=\"visits\"}", 0.0),
            ("tacit_cut_off_total{dataset=\"visits\"}", 0.0),
            ("tacit_frozen{dataset=\"visits\"}", 0.0),
            ("tacit_statistic_stale{statistic=\"older\"}", 0.0),
            ("tacit_statistic_waiting{statistic=\"older\"}", 0.0),
            ("tacit_statistic_released_timestamp_seconds{statistic=\"older\"}", 1_790_000_000.0),
            ("tacit_http_responses_total{class=\"2xx\"}", 1.0),
            ("tacit_http_responses_total{class=\"5xx\"}", 0.0),
        ] {
            assert_eq!(value(&text, sample), wanted, "{sample}");
        }
        let entries = value(&text, "tacit_ledger_entries_total");
        assert_eq!(entries, lab.head().0 as f64);
        assert!(value(&text, "tacit_statistic_next_refresh_timestamp_seconds{statistic=\"older\"}") > 1_790_000_000.0);
        assert_eq!(value(&metrics(&lab).await, "tacit_http_responses_total{class=\"2xx\"}"), 2.0, "it counts itself");
        lab.verified();
    });
}

/// Two tables that differ only in their rows lead to the same metrics for the same questions.
#[test]
fn metrics_tell_nothing_of_rows() {
    let texts: Vec<String> = [40, 400]
        .into_iter()
        .map(|patients| {
            let lab = Lab::new(&policy(GAUSSIAN), &visits(patients), Arc::new(OpenDp), "2");
            block_on(async {
                for age in [20, 60] {
                    let sql =
                        format!("SELECT region, COUNT(*), AVG(cost) FROM visits WHERE age > {age} GROUP BY region");
                    assert_eq!(lab.sql(&sql, "0.4").await.status, StatusCode::OK);
                }
                assert_eq!(lab.sql("SELECT COUNT(*) FROM nowhere", "0.4").await.status, StatusCode::NOT_FOUND);
                metrics(&lab).await
            })
        })
        .collect();
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn metrics_are_for_stewards_and_for_programs_on_this_machine() {
    block_on(async {
        let lab = Lab::exact();
        let ask = async |peer: Option<&str>, token: Option<&str>, more: &[(&str, &str)]| {
            let mut request = Request::builder().uri("/metrics");
            if let Some(peer) = peer {
                request = request.extension(Peer(peer.parse::<SocketAddr>().expect("an address")));
            }
            if let Some(token) = token {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            for (name, value) in more {
                request = request.header(*name, *value);
            }
            let request = request.body(Body::empty()).expect("a request");
            let response = lab.router.clone().oneshot(request).await.expect("an answer");
            let status = response.status();
            to_bytes(response.into_body(), usize::MAX).await.expect("a body");
            status.as_u16()
        };
        let (here, none): (_, &[(&str, &str)]) = (Some("127.0.0.1:9"), &[]);
        for (peer, token, more, wanted) in [
            (None, None, none, 401),
            (here, None, none, 200),
            (Some("[::1]:9"), None, none, 200),
            (Some("192.0.2.7:9"), None, none, 401),
            (here, None, &[("x-forwarded-for", "192.0.2.7")], 401),
            (here, None, &[("forwarded", "for=192.0.2.7")], 401),
            (here, Some("tct_nobody"), none, 401),
            (here, Some(lab.researcher.as_str()), none, 403),
            (None, Some(lab.viewer.as_str()), none, 403),
            (Some("192.0.2.7:9"), Some(lab.steward.as_str()), none, 200),
        ] {
            assert_eq!(ask(peer, token, more).await, wanted, "{peer:?} {more:?}");
        }
        let text = metrics(&lab).await;
        assert_eq!(value(&text, "tacit_http_responses_total{class=\"4xx\"}"), 7.0);
        assert_eq!(value(&text, "tacit_http_responses_total{class=\"2xx\"}"), 3.0);
    });
}
