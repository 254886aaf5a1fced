//! Statistics and answers by address: parts of files, every form of both, and who is let in how.

mod elsewhere;
mod links;
mod passwords;

use std::sync::Arc;

use axum::http::{Method, StatusCode, header};
use serde_json::json;
use tacit::kernel::clock::Clock;

use crate::support::{GAUSSIAN, Lab, Reply, StoppedClock, block_on, call, policy};

const OPEN: &str = "-- title: Visits by region\n-- margin: 120\n-- public: true\n-- chart: bar\n-- unit: visits\n\
                    SELECT region, COUNT(*) AS visits FROM visits GROUP BY region";
const OLDER: &str = "-- title: Older people\n-- epsilon: 0.1\nSELECT COUNT(*) AS visits FROM visits WHERE age > 50";
const ENDINGS: [&str; 10] =
    [".json", ".csv", ".xlsx", ".arrow", ".feather", ".parquet", ".svg", ".png", ".vl.json", ".txt"];

/// A lab with a public statistic, another one, and an answer of a researcher.
struct Shown {
    lab: Lab,
    release: String,
}

impl Shown {
    async fn new() -> Self {
        Self::clocked(Arc::new(StoppedClock)).await
    }

    async fn clocked(clock: Arc<dyn Clock>) -> Self {
        let files = [("open", OPEN), ("older", OLDER)];
        let lab = Lab::publishing(&policy(GAUSSIAN), &files, "1", clock);
        lab.service.refresh_due().await;
        let sql = "SELECT region, COUNT(*) AS n FROM visits WHERE smoker GROUP BY region";
        let answer = lab.ask(&json!({"sql": sql, "epsilon": "0.3"})).await.json();
        let release = answer["release"].as_str().expect("a release").to_owned();
        Self { lab, release }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        call(&self.lab.router, Method::GET, path, None, headers, String::new()).await
    }

    /// The addresses of a statistic and of an answer without an ending, and the token to read both with.
    fn both(&self) -> [(String, String); 2] {
        let bearer = format!("Bearer {}", self.lab.researcher);
        [("/v1/statistics/open".to_owned(), bearer.clone()), (format!("/v1/releases/{}", self.release), bearer)]
    }
}

/// Readers of Parquet take the end of a file first, and then the parts that they need.
#[test]
fn every_file_is_read_in_parts() {
    block_on(async {
        let shown = Shown::new().await;
        for ((address, bearer), ending) in shown.both().iter().flat_map(|one| ENDINGS.map(|ending| (one, ending))) {
            let (path, token) = (format!("{address}{ending}"), ("authorization", bearer.as_str()));
            let whole = shown.get(&path, &[token]).await;
            let (len, etag) = (whole.bytes.len(), whole.headers["etag"].to_str().expect("text"));
            assert_eq!(
                (whole.status, &whole.headers["accept-ranges"]),
                (StatusCode::OK, &"bytes".parse().expect("a value")),
                "{path}"
            );
            let head =
                call(&shown.lab.router, Method::HEAD, &path, None, &[token, ("range", "bytes=0-3")], String::new())
                    .await;
            assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0), "{path}");
            assert_eq!(head.headers["content-length"], len.to_string().as_str(), "{path}");
            assert_eq!(head.headers["etag"], etag, "{path}");
            for (range, part) in [("bytes=0-3", 0..4), ("bytes=-8", len - 8..len), ("bytes=4-", 4..len)] {
                let reply = shown.get(&path, &[token, ("range", range), ("if-range", etag)]).await;
                assert_eq!(
                    (reply.status, &reply.bytes[..]),
                    (StatusCode::PARTIAL_CONTENT, &whole.bytes[part.clone()]),
                    "{path} {range}"
                );
                let place = format!("bytes {}-{}/{len}", part.start, part.end - 1);
                assert_eq!(reply.headers["content-range"], place.as_str(), "{path} {range}");
                assert_eq!(reply.headers["content-type"], whole.headers["content-type"], "{path} {range}");
            }
            let beyond = shown.get(&path, &[token, ("range", &format!("bytes={len}-"))]).await;
            assert_eq!((beyond.status, beyond.bytes.len()), (StatusCode::RANGE_NOT_SATISFIABLE, 0), "{path}");
            assert_eq!(beyond.headers["content-range"], format!("bytes */{len}").as_str(), "{path}");
            for more in
                [[("range", "bytes=0-3"), ("if-range", "\"other\"")], [("range", "bytes=9-3"), ("accept", "*/*")]]
            {
                let reply = shown.get(&path, &[&[token][..], &more].concat()).await;
                assert_eq!((reply.status, &reply.bytes), (StatusCode::OK, &whole.bytes), "{path} {more:?}");
            }
            let held = shown.get(&path, &[token, ("if-none-match", etag), ("range", "bytes=0-3")]).await;
            assert_eq!((held.status, held.bytes.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
        }
    });
}

#[test]
fn several_ranges_come_in_one_body() {
    block_on(async {
        let shown = Shown::new().await;
        let whole = shown.get("/v1/statistics/open.parquet", &[]).await;
        let reply = shown.get("/v1/statistics/open.parquet", &[("range", "bytes=0-3,-4")]).await;
        assert_eq!(reply.status, StatusCode::PARTIAL_CONTENT);
        let kind = reply.headers["content-type"].to_str().expect("text");
        let boundary = kind.strip_prefix("multipart/byteranges; boundary=").expect("a boundary");
        let len = whole.bytes.len();
        let part = |at: usize| {
            let head = "content-type: application/vnd.apache.parquet\r\ncontent-range: bytes";
            format!("--{boundary}\r\n{head} {at}-{}/{len}\r\n\r\nPAR1\r\n", at + 3)
        };
        let wanted = format!("{}{}--{boundary}--\r\n", part(0), part(len - 4));
        assert_eq!(String::from_utf8_lossy(&reply.bytes), wanted);
    });
}

#[test]
fn both_come_in_every_form_however_it_is_asked_for() {
    block_on(async {
        let shown = Shown::new().await;
        for ((address, bearer), ending) in shown.both().iter().flat_map(|one| ENDINGS.map(|ending| (one, ending))) {
            let token = ("authorization", bearer.as_str());
            let by_ending = shown.get(&format!("{address}{ending}"), &[token]).await;
            let by_format =
                shown.get(&format!("{address}?format={}", &ending[1..]), &[token, ("accept", "image/*")]).await;
            let media_type = by_ending.headers["content-type"].to_str().expect("text");
            let accept = media_type.split(';').next().expect("a type");
            let by_accept = shown.get(address, &[token, ("accept", accept)]).await;
            for other in [&by_format, &by_accept] {
                assert_eq!((other.status, &other.bytes), (StatusCode::OK, &by_ending.bytes), "{address}{ending}");
                assert_eq!(other.headers["content-type"], media_type, "{address}{ending}");
            }
        }
        for (address, bearer) in shown.both() {
            let token = ("authorization", bearer.as_str());
            for (path, status) in [
                (format!("{address}.exe"), StatusCode::NOT_FOUND),
                (format!("{address}?format=exe"), StatusCode::BAD_REQUEST),
                (format!("{address}.csv?format=json"), StatusCode::BAD_REQUEST),
                (format!("{address}.csv?digits=2"), StatusCode::BAD_REQUEST),
            ] {
                assert_eq!(shown.get(&path, &[token]).await.status, status, "{path}");
            }
            let nothing = shown.get(&address, &[token, ("accept", "application/pdf")]).await;
            assert_eq!(nothing.status, StatusCode::NOT_ACCEPTABLE);
        }
        let question = json!({"sql": "SELECT COUNT(*) AS n FROM visits", "epsilon": "0.1"}).to_string();
        let token = Some(shown.lab.researcher.as_str());
        let asked = call(&shown.lab.router, Method::POST, "/v1/queries?format=csv", token, &[], question.clone()).await;
        assert!(asked.bytes.starts_with(b"n,n_low,n_high"), "{}", String::from_utf8_lossy(&asked.bytes));
        let head = shown.lab.head();
        let wrong = call(&shown.lab.router, Method::POST, "/v1/queries?format=png", token, &[], question).await;
        assert_eq!((wrong.status, shown.lab.head()), (StatusCode::BAD_REQUEST, head), "and nothing is charged");
    });
}

/// An answer that is read in parts is rendered once; what another person may see of it is another file.
#[test]
fn an_answer_is_nothing_to_those_who_may_not_see_it_in_any_form() {
    block_on(async {
        let shown = Shown::new().await;
        let bob = shown.lab.act("/v1/researchers", &json!({"name": "bob", "role": "researcher"})).await.json();
        let bob = bob["token"].as_str().expect("a token");
        for ending in ENDINGS {
            let path = format!("/v1/releases/{}{ending}", shown.release);
            let ranged = [("range", "bytes=0-3")];
            let own =
                call(&shown.lab.router, Method::GET, &path, Some(&shown.lab.researcher), &ranged, String::new()).await;
            assert_eq!(own.status, StatusCode::PARTIAL_CONTENT, "{path}");
            for token in [Some(bob), Some(&*shown.lab.viewer), None] {
                let refused = call(&shown.lab.router, Method::GET, &path, token, &ranged, String::new()).await;
                let none = path.replace(&shown.release, "rel_none");
                let none = call(&shown.lab.router, Method::GET, &none, token, &ranged, String::new()).await;
                assert!(refused.status.is_client_error() && refused.status != StatusCode::RANGE_NOT_SATISFIABLE);
                assert_eq!((refused.status, refused.bytes), (none.status, none.bytes), "{path}");
                assert!(!refused.headers.contains_key(header::ETAG), "{path}");
            }
        }
    });
}
