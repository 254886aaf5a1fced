//! Bad input of every kind: each is answered by a specific 4xx code, writes no entry, and never reads a row.

mod files;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;
use tacit::engine::{Engine, EngineFault, PolarsEngine};
use tacit::kernel::vault::noise::OpenDp;
use tacit::kernel::vault::private::{Exact, Private};
use tacit::query::computation::Computation;
use tower::ServiceExt;

use crate::support::{GAUSSIAN, Lab, Reply, block_on, policy, visits};

/// Engine that counts how often data is read.
struct Watched {
    engine: PolarsEngine,
    looks: Arc<AtomicU64>,
}

impl Engine for Watched {
    fn evaluate(&self, edition: &str, computation: &Computation) -> Result<Private<Exact>, EngineFault> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.engine.evaluate(edition, computation)
    }

    fn is_ready(&self, edition: &str) -> bool {
        self.engine.is_ready(edition)
    }
}

/// A lab whose reads of data are counted.
struct Watch {
    lab: Lab,
    looks: Arc<AtomicU64>,
}

impl Watch {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("visits.csv"), visits(50)).expect("a source");
        let looks = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&looks);
        let lab = Lab::wrapped(dir, &policy(GAUSSIAN), Arc::new(OpenDp), "4", |engine| {
            Arc::new(Watched { engine, looks: counter })
        });
        Self { lab, looks }
    }

    /// Sends raw bytes and expects one of the given codes, a reason, and an unchanged ledger.
    async fn refuses(
        &self,
        what: &str,
        path: &str,
        headers: &[(&str, &[u8])],
        body: impl Into<Vec<u8>>,
        codes: &[&str],
    ) {
        let (head, looks) = (self.lab.head(), self.looks.load(Ordering::Relaxed));
        let reply = send(&self.lab.router, path, &self.lab.researcher, headers, body.into()).await;
        let shown = String::from_utf8_lossy(&reply.bytes).into_owned();
        assert!(reply.status.is_client_error(), "{what}: {} {shown}", reply.status);
        assert!(codes.contains(&reply.code().as_str()), "{what}: {shown}");
        let detail = reply.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.len() > 10 && detail.len() < 2_000, "{what} is told shortly why: {detail}");
        assert_eq!((self.lab.head(), self.looks.load(Ordering::Relaxed)), (head, looks), "{what} left a trace");
    }

    async fn refuses_sql(&self, what: &str, sql: &str, codes: &[&str]) {
        let body = json!({"sql": sql, "epsilon": "0.1"}).to_string();
        for path in ["/v1/queries", "/v1/quotes"] {
            self.refuses(what, path, &[], body.clone(), codes).await;
        }
    }
}

async fn send(router: &Router, path: &str, token: &str, headers: &[(&str, &[u8])], body: Vec<u8>) -> Reply {
    let mut request = Request::post(path);
    if !headers.iter().any(|(name, _)| *name == "authorization") {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router.clone().oneshot(request.body(Body::from(body)).expect("a request")).await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body").to_vec();
    Reply { status, headers, bytes }
}

const QUESTION: &str = "SELECT COUNT(*) FROM visits";

#[test]
fn amounts_that_are_none() {
    block_on(async {
        let watch = Watch::new();
        let forty = "1".repeat(40);
        for text in [
            "1e-400",
            "-0",
            "0",
            "0.0",
            "NaN",
            "nan",
            "inf",
            "-1",
            "1e400",
            "0x1",
            "0,1",
            "1_0",
            "",
            " ",
            "0.1 ",
            "\u{661}",
            "\u{ff11}",
            "0.1234567891",
            "1e-10",
            "--1",
            "0.1.1",
            "1/2",
            "0.1\u{0}",
            "\u{feff}0.1",
            "\u{202e}1.0",
            &forty,
            &format!("0.{forty}"),
        ] {
            for field in ["epsilon", "margin"] {
                let body = json!({"sql": QUESTION, field: text}).to_string();
                let codes = ["invalid-epsilon", "over-query-limit"];
                // A margin may be as wide as the caller likes, provided it is a number.
                if field == "margin" && (text == forty || text == "1e400") {
                    continue;
                }
                watch.refuses(&format!("{field} {text:?}"), "/v1/queries", &[], body, &codes).await;
            }
        }
        for raw in ["0.1", "1", "null", "[]", "{}", "true", "1e-400", "-0", "NaN"] {
            let body = format!("{{\"sql\": \"{QUESTION}\", \"epsilon\": {raw}}}");
            watch.refuses(&format!("epsilon as {raw}"), "/v1/queries", &[], body, &["invalid-request"]).await;
        }
        for rows in ["0", "-1", "1.5", "1e99", "\"2\"", "5", "4294967296", "NaN"] {
            let body = format!("{{\"sql\": \"{QUESTION}\", \"epsilon\": \"0.1\", \"rows_per_unit\": {rows}}}");
            watch.refuses(&format!("rows {rows}"), "/v1/queries", &[], body, &["invalid-request"]).await;
        }
    });
}

#[test]
fn sql_that_is_none() {
    block_on(async {
        let watch = Watch::new();
        let parens = |depth: usize| {
            format!("SELECT COUNT(*) FROM visits WHERE {}smoker{}", "(".repeat(depth), ")".repeat(depth))
        };
        let chain = |word: &str, count: usize| format!("{QUESTION} WHERE {}", vec!["smoker"; count].join(word));
        let sql = ["unsupported-sql"];
        for (what, text, codes) in [
            ("nothing", String::new(), &sql[..]),
            ("blanks", " \n\t".to_owned(), &sql),
            ("a comment alone", "-- SELECT".to_owned(), &sql),
            ("a comment without end", "SELECT COUNT(*) /* FROM visits".to_owned(), &sql),
            ("NUL", "SELECT COUNT(*) FROM visits\u{0}".to_owned(), &["unsupported-sql", "unknown-dataset"]),
            ("NUL in text", format!("{QUESTION} WHERE region = 'a\u{0}b'"), &sql),
            ("a byte order mark", format!("\u{feff}{QUESTION}"), &sql),
            (
                "right to left",
                format!("{QUESTION} WHERE re\u{202e}gion = 'north'"),
                &["unsupported-sql", "unknown-column"],
            ),
            ("other digits", format!("{QUESTION} WHERE age > \u{661}\u{662}"), &["unsupported-sql", "unknown-column"]),
            ("two statements", format!("{QUESTION}; {QUESTION}"), &sql),
            ("a parameter", format!("{QUESTION} WHERE age > $1"), &sql),
            ("forty thousand digits", format!("{QUESTION} WHERE age > {}", "9".repeat(40_000)), &sql),
            ("deep parentheses", parens(20_000), &sql),
            ("deep NOTs", format!("{QUESTION} WHERE {}smoker", "NOT ".repeat(10_000)), &sql),
            ("deep minus signs", format!("{QUESTION} WHERE age > {}1", "- ".repeat(20_000)), &sql),
            ("a long chain of AND", chain(" AND ", 5_000), &sql),
            ("a long chain of OR", chain(" OR ", 5_000), &sql),
            (
                "a deep CASE",
                format!("SELECT COUNT(*) FROM visits WHERE {}1{}", "CASE WHEN ".repeat(2_000), " END".repeat(2_000)),
                &sql,
            ),
            (
                "deep subqueries",
                format!("{}SELECT 1{}", "SELECT * FROM (".repeat(2_000), ")".repeat(2_000)),
                &["unsupported-sql", "not-an-aggregate"],
            ),
            ("deep arrays", format!("SELECT {}1{}", "ARRAY[".repeat(5_000), "]".repeat(5_000)), &sql),
            ("deep types", format!("SELECT CAST(1 AS {}INT{})", "ARRAY<".repeat(5_000), ">".repeat(5_000)), &sql),
            ("many columns", format!("SELECT {} FROM visits", vec!["COUNT(*)"; 6_000].join(", ")), &sql),
        ] {
            watch.refuses_sql(what, &text, codes).await;
        }
        // A million nodes exceed the limit of a request body, and so does a mebibyte of text.
        let million = chain(" OR ", 1_000_000);
        watch.refuses_sql("a million nodes", &million, &["too-large"]).await;
        watch
            .refuses_sql(
                "a mebibyte of text",
                &format!("{QUESTION} WHERE region = '{}'", "x".repeat(1 << 20)),
                &["too-large"],
            )
            .await;
    });
}

#[test]
fn sql_of_what_is_not_there() {
    block_on(async {
        let watch = Watch::new();
        let sql = ["unsupported-sql"];
        for (what, text, codes) in [
            ("an unknown table", "SELECT COUNT(*) FROM nobody".to_owned(), &["unknown-dataset"][..]),
            (
                "an unknown schema",
                "SELECT COUNT(*) FROM pg_catalog.pg_class".to_owned(),
                &["unsupported-sql", "unknown-dataset"],
            ),
            (
                "an unknown function",
                "SELECT pg_read_file('/etc/passwd') FROM visits".to_owned(),
                &["unsupported-sql", "not-an-aggregate"],
            ),
            ("an unknown operator", format!("{QUESTION} WHERE age <-> 3"), &sql),
            (
                "an unknown column in everything",
                "SELECT a, SUM(b) FROM visits WHERE c > 1 GROUP BY a ORDER BY d".to_owned(),
                &["unknown-column"],
            ),
            ("a statement of another kind", "VACUUM".to_owned(), &sql),
            ("a copy", "COPY visits TO PROGRAM 'sh'".to_owned(), &sql),
            (
                "text of all of Unicode's corners",
                format!("{QUESTION} WHERE region = '\u{10ffff}\u{fffd}\u{200b}'"),
                &["out-of-domain"],
            ),
        ] {
            watch.refuses_sql(what, &text, codes).await;
        }
    });
}

#[test]
fn json_that_is_none() {
    block_on(async {
        let watch = Watch::new();
        let good = format!("\"sql\": \"{QUESTION}\", \"epsilon\": \"0.1\"");
        let deep = |open: &str, close: &str, depth: usize| {
            format!("{{{good}, \"purpose\": {}1{}}}", open.repeat(depth), close.repeat(depth))
        };
        let bodies: Vec<(&str, Vec<u8>)> = vec![
            ("nothing", Vec::new()),
            ("a doubled key", format!("{{{good}, \"sql\": \"{QUESTION}\"}}").into()),
            ("a doubled accuracy", format!("{{{good}, \"epsilon\": \"0.1\"}}").into()),
            ("a key doubled by an escape", format!("{{{good}, \"\\u0073ql\": \"{QUESTION}\"}}").into()),
            ("an unknown key", format!("{{{good}, \"nois\": 0}}").into()),
            ("both accuracies", format!("{{{good}, \"margin\": \"5\"}}").into()),
            ("lists 128 deep", deep("[", "]", 128).into()),
            ("objects 128 deep", deep("{\"a\":", "}", 128).into()),
            ("lists 10,000 deep", deep("[", "]", 10_000).into()),
            ("a list", "[1]".into()),
            ("a text", format!("\"{QUESTION}\"").into()),
            ("more behind it", format!("{{{good}}} {{}}").into()),
            ("an end too early", format!("{{{good}").into()),
            ("a comma too many", format!("{{{good},}}").into()),
            ("a comment", format!("{{{good} /* x */}}").into()),
            ("single quotes", "{'sql': 'x'}".into()),
            ("a lone surrogate", "{\"sql\": \"SELECT \\ud800\", \"epsilon\": \"0.1\"}".into()),
            ("a raw control character", "{\"sql\": \"SELECT\u{1}\", \"epsilon\": \"0.1\"}".into()),
            ("a byte order mark", format!("\u{feff}{{{good}}}").into()),
            ("no UTF-8", [b"{\"sql\": \"".as_slice(), &[0xff, 0xfe], b"\"}"].concat()),
            ("UTF-16", QUESTION.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            ("a form", "sql=SELECT&epsilon=1".into()),
        ];
        for (what, body) in bodies {
            watch.refuses(what, "/v1/queries", &[], body, &["invalid-request"]).await;
        }
    });
}

#[test]
fn tokens_and_keys_that_are_none() {
    block_on(async {
        let watch = Watch::new();
        let body = json!({"sql": QUESTION, "epsilon": "0.1"}).to_string();
        let token = watch.lab.researcher.clone();
        let long = "x".repeat(10_000);
        let (shorter, longer, upper) = (token[1..].to_owned(), format!("{token}0"), token.to_uppercase());
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Basic eDp5",
            "Bearer a b",
            &format!("Bearer {long}"),
            &format!("Bearer {shorter}"),
            &format!("Bearer {longer}"),
            &format!("Bearer {upper}"),
            &token,
            "Bearer \u{e9}",
            "Bearer 'OR 1=1--",
            "Bearer ../../state",
        ] {
            watch
                .refuses(
                    &format!("token {value:.40}"),
                    "/v1/queries",
                    &[("authorization", value.as_bytes())],
                    body.clone(),
                    &["unauthenticated"],
                )
                .await;
        }
        let right = format!("Bearer {token}");
        let doubled = [("authorization", right.as_bytes()), ("authorization", right.as_bytes())];
        watch.refuses("two tokens", "/v1/queries", &doubled, body.clone(), &["unauthenticated"]).await;
        let (long, fits) = ("k".repeat(256), "k".repeat(255));
        for key in ["".as_bytes(), b" ", b"a b", b"\t", long.as_bytes(), "caf\u{e9}".as_bytes(), &[0xff]] {
            watch
                .refuses(
                    &format!("key {key:?}"),
                    "/v1/queries",
                    &[("idempotency-key", key)],
                    body.clone(),
                    &["invalid-request"],
                )
                .await;
        }
        let doubled = [("idempotency-key", b"a".as_slice()), ("idempotency-key", b"a")];
        watch.refuses("two keys", "/v1/queries", &doubled, body.clone(), &["invalid-request"]).await;
        for accept in ["image/png", "text/html", "application/json;q=0", "x", ";", ","] {
            let headers = [("accept", accept.as_bytes())];
            watch
                .refuses(&format!("accept {accept}"), "/v1/queries", &headers, body.clone(), &["not-acceptable"])
                .await;
        }
        // Check that the counter works: a valid question is noticed.
        let looks = watch.looks.load(Ordering::Relaxed);
        assert_eq!(
            send(&watch.lab.router, "/v1/queries", &token, &[("idempotency-key", fits.as_bytes())], body.into())
                .await
                .status,
            200
        );
        assert_eq!(watch.looks.load(Ordering::Relaxed), looks + 1);
    });
}
