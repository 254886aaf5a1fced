//! Memory: answers never use more than is available, however many are asked for and however slowly they are read.

use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::http::{Method, Request, StatusCode, header};
use axum::response::Response;
use serde_json::json;
use tacit::kernel::vault::noise::OpenDp;
use tower::ServiceExt;

use crate::doors::{COUNT, DAYS, until};
use crate::support::{GAUSSIAN, Lab, block_on, call, policy, visits};

async fn unread(lab: &Lab, path: &str, accept: &str, body: Option<String>) -> Response {
    let request = Request::builder().method(if body.is_some() { Method::POST } else { Method::GET }).uri(path);
    let request = request.header(header::AUTHORIZATION, format!("Bearer {}", lab.researcher));
    let request = request.header(header::ACCEPT, accept);
    let request = request.body(Body::from(body.unwrap_or_default())).expect("a request");
    let response = lab.router.clone().oneshot(request).await.expect("a response");
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    response
}

async fn next(body: &mut Body) -> Option<axum::body::Bytes> {
    let frame = std::future::poll_fn(|context| std::pin::Pin::new(&mut *body).poll_frame(context)).await;
    frame.map(|frame| frame.expect("a piece").into_data().expect("data"))
}

/// The memory of an answer counts for as long as anybody holds a byte of it, in every format.
#[test]
fn what_is_not_read_yet_counts() {
    block_on(async {
        let lab = Lab::gaussian();
        let release = lab.sql(DAYS, "0.5").await.json()["release"].as_str().expect("a release").to_owned();
        assert_eq!(lab.service.held_bytes(), 0);
        let replay = || json!({"sql": DAYS, "epsilon": "0.5"}).to_string();
        let keys = || json!({"sql": "SELECT DISTINCT visited FROM visits"}).to_string();
        for accept in
            ["application/json", "text/csv", "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"]
        {
            let by_id = format!("/v1/releases/{release}");
            for (path, body) in [("/v1/queries", Some(replay())), ("/v1/queries", Some(keys())), (by_id.as_str(), None)]
            {
                let response = unread(&lab, path, accept, body).await;
                let length: usize =
                    response.headers()[header::CONTENT_LENGTH].to_str().expect("text").parse().expect("a length");
                assert_eq!(lab.service.held_bytes(), length, "{path} as {accept}");
                let mut body = response.into_body();
                let piece = next(&mut body).await.expect("a piece");
                drop(body);
                assert_eq!(lab.service.held_bytes(), length, "a piece that waits to be written");
                drop(piece);
                assert_eq!(lab.service.held_bytes(), 0, "{path} as {accept}");
            }
        }
    });
}

/// A query that waits for memory has not been charged yet, and is answered once memory is free.
#[test]
fn room_is_waited_for_before_the_charge() {
    block_on(async {
        let lab = Lab::gaussian();
        let held = lab.service.held_bytes();
        let mut rooms = Vec::new();
        // Takes small pieces until there is no memory for another.
        for number in 0..32 {
            rooms.push(lab.service.room(&format!("holder {number}"), 4 << 20).await.expect("a room"));
        }
        assert_eq!(lab.service.held_bytes(), held + (128 << 20));
        let before = lab.head();
        let ask = |key: Option<&'static str>, path: &'static str, sql: &str| {
            let (router, token) = (lab.router.clone(), lab.researcher.clone());
            let body = json!({"sql": sql, "epsilon": "0.1"}).to_string();
            let headers: Vec<_> = key.map(|key| ("idempotency-key", key)).into_iter().collect();
            tokio::spawn(async move { call(&router, Method::POST, path, Some(&token), &headers, body).await })
        };
        let waiting = [
            ask(None, "/v1/queries", DAYS),
            ask(Some("k"), "/v1/queries", DAYS),
            ask(None, "/v1/queries", "SELECT DISTINCT visited FROM visits"),
        ];
        until(|| lab.service.waiting_for_room() == waiting.len()).await;
        assert_eq!(
            ask(None, "/v1/queries", COUNT).await.expect("a reply").status,
            StatusCode::OK,
            "what is tiny goes on"
        );
        assert_eq!(ask(None, "/v1/quotes", DAYS).await.expect("a reply").status, StatusCode::OK);
        assert!(waiting.iter().all(|one| !one.is_finished()));
        let charged = lab.head().0 - before.0;
        assert_eq!(charged, 2, "the count alone: its charge and its release");
        drop(rooms);
        for one in waiting {
            assert_eq!(one.await.expect("a reply").status, StatusCode::OK);
        }
        assert_eq!(lab.service.held_bytes(), held);
    });
}

/// Beyond the size that is encoded at once, an answer is encoded while it is read: the rows are the same, and nothing remains if the reader
/// goes away.
#[test]
fn a_long_answer_is_encoded_while_it_is_read() {
    let places: Vec<String> =
        (0..400).map(|at| format!("\"{}{at:03}\"", "a place with a long name of its own ".repeat(5))).collect();
    let column = format!("[[column]]\nname = \"place\"\ntype = \"category\"\nvalues = [{}]\n", places.join(","));
    let csv: String = visits(20)
        .lines()
        .enumerate()
        .map(|(at, line)| {
            let place = if at == 0 { "place".to_owned() } else { places[at].trim_matches('"').to_owned() };
            format!("{line},{place}\n")
        })
        .collect();
    let lab = Lab::new(&format!("{}{column}", policy(GAUSSIAN)), &csv, Arc::new(OpenDp), "4");
    block_on(async {
        let body = || Some(json!({"sql": "SELECT DISTINCT place, age FROM visits"}).to_string());
        let rows = 400 * 111;
        let response = unread(&lab, "/v1/queries", "application/json", body()).await;
        assert!(!response.headers().contains_key(header::CONTENT_LENGTH) && lab.service.held_bytes() > 0);
        let (mut text, mut reading) = (Vec::new(), response.into_body());
        while let Some(piece) = next(&mut reading).await {
            text.extend_from_slice(&piece);
        }
        drop(reading);
        let whole: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        let found = whole["rows"].as_array().expect("rows");
        assert_eq!((found.len(), found[rows - 1]["age"].as_i64()), (rows, Some(110)));
        let mut csv = unread(&lab, "/v1/queries", "text/csv", body()).await.into_body();
        let first = next(&mut csv).await.expect("a piece");
        assert!(first.starts_with(b"place,age\n") && lab.service.held_bytes() > 0);
        let mut lines = first.iter().filter(|byte| **byte == b'\n').count();
        drop(first);
        while let Some(piece) = next(&mut csv).await {
            lines += piece.iter().filter(|byte| **byte == b'\n').count();
        }
        drop(csv);
        assert_eq!(lines, rows + 1);
        drop(unread(&lab, "/v1/queries", "text/csv", body()).await);
        until(|| lab.service.held_bytes() == 0).await;
    });
}
