//! Files as they are sent: whole, by ranges, or not at all if the caller has them already.
//!
//! Promises the same headers for every file that is read by address, and that `HEAD` says how long the whole is.

use std::ops::Range;

use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::App;
use super::cache::Rendered;
use super::ranges::{self, WantedPart};

/// What a request for a file says beside its path.
pub struct Asked {
    /// The method: `GET` or `HEAD`.
    pub method: Method,
    /// The address with its parameters.
    pub address: Uri,
    /// The request's headers, of which the conditions and the range are read.
    pub headers: HeaderMap,
}

impl FromRequestParts<App> for Asked {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Self::Rejection> {
        Ok(Self { method: parts.method.clone(), address: parts.uri.clone(), headers: parts.headers.clone() })
    }
}

impl Asked {
    /// Whether the request needs the bytes as a whole before the first is sent: for a part of them, or for their number.
    pub fn needs_whole(&self) -> bool {
        self.method == Method::HEAD || self.headers.contains_key(header::RANGE)
    }
}

/// The challenge for programs that send a password once they are asked for one.
const BASIC: &str = "Basic realm=\"tacit\", charset=\"UTF-8\"";

/// Asks a program that shows no token for a password, because it may send the token as one. A script of a page is not asked: the browser
/// would ask its user in the script's place.
pub fn challenged(mut response: Response, asked: &HeaderMap) -> Response {
    let is_script = asked.get("sec-fetch-mode").is_some_and(|mode| mode != "navigate");
    if response.status() == StatusCode::UNAUTHORIZED && !is_script {
        response.headers_mut().append(header::WWW_AUTHENTICATE, HeaderValue::from_static(BASIC));
    }
    response
}

/// Whether the caller has the version that the tag names.
pub fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = tags.flat_map(|value| value.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
    tags.any(|tag| tag == etag || tag == "*")
}

/// The response for a file: its bytes, a part of them, or the information that the caller has them already. `caching` says who may keep
/// it for how long.
pub fn respond(rendered: &Rendered, asked: &Asked, caching: &'static str) -> Response {
    let is_held = rendered.etag.to_str().is_ok_and(|etag| is_known(&asked.headers, etag));
    let mut response = if is_held { StatusCode::NOT_MODIFIED.into_response() } else { sent(rendered, asked) };
    let out = response.headers_mut();
    out.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    out.insert(header::ETAG, rendered.etag.clone());
    out.insert(header::LAST_MODIFIED, rendered.last_modified.clone());
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    out.insert(header::VARY, HeaderValue::from_static("accept, authorization, cookie, origin"));
    response
}

/// The bytes, or the part of them that was asked for. `HEAD` is about the whole.
fn sent(rendered: &Rendered, asked: &Asked) -> Response {
    let Rendered { bytes, media_type, .. } = rendered;
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let (etag, last_modified) = (text(&rendered.etag), text(&rendered.last_modified));
    let part = match asked.method == Method::HEAD {
        true => WantedPart::Whole,
        false => ranges::wanted(&asked.headers, (&etag, &last_modified), bytes.len()),
    };
    let typed = [(header::CONTENT_TYPE, media_type.clone())];
    match part {
        WantedPart::Whole => (typed, bytes.clone()).into_response(),
        WantedPart::One(range) => {
            let place = [(header::CONTENT_RANGE, place(&range, bytes.len()))];
            (StatusCode::PARTIAL_CONTENT, typed, place, bytes.slice(range)).into_response()
        }
        WantedPart::Several(ranges) => {
            let boundary = &blake3::hash(etag.as_bytes()).to_hex()[..32];
            let typed = [(header::CONTENT_TYPE, format!("multipart/byteranges; boundary={boundary}"))];
            (StatusCode::PARTIAL_CONTENT, typed, together(bytes, media_type, &ranges, boundary)).into_response()
        }
        WantedPart::Beyond => {
            let place = [(header::CONTENT_RANGE, format!("bytes */{}", bytes.len()))];
            (StatusCode::RANGE_NOT_SATISFIABLE, place).into_response()
        }
    }
}

/// Where a range of a file lies, as the header says it.
fn place(range: &Range<usize>, len: usize) -> String {
    format!("bytes {}-{}/{len}", range.start, range.end.saturating_sub(1))
}

/// Several ranges as the parts of one body (RFC 9110, section 14.6).
fn together(bytes: &Bytes, media_type: &HeaderValue, ranges: &[Range<usize>], boundary: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for range in ranges {
        body.extend_from_slice(format!("--{boundary}\r\ncontent-type: ").as_bytes());
        body.extend_from_slice(media_type.as_bytes());
        body.extend_from_slice(format!("\r\ncontent-range: {}\r\n\r\n", place(range, bytes.len())).as_bytes());
        body.extend_from_slice(&bytes[range.clone()]);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    body
}
