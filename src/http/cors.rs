//! Pages of other sites: which may read what, and the requests by which browsers ask beforehand.
//!
//! Promises that only pages of the configured origins may read, that what they read is public or opened by a token or a link that the page
//! itself sends, never by a cookie, and that the answer to a question beforehand says nothing about what there is.

use std::sync::Arc;

use axum::extract::Extension;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::shared::{Settings, Shared};

/// The methods of what is read by address.
const METHODS: &str = "GET, HEAD, OPTIONS";
/// The headers that pages may send with their requests.
const SENT: &str = "authorization, if-none-match, if-range, range";
/// The headers of responses that pages may read beside those that every page may.
const READ: &str = "accept-ranges, content-length, content-range, etag, tacit-release";
/// How long a browser may keep the answer, in seconds.
const KEPT_SECONDS: &str = "600";

/// OPTIONS of what is read by address: what pages of other sites may do there. It is the same for every address.
pub async fn preflight(Extension(shared): Extension<Arc<Shared>>, headers: HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let out = response.headers_mut();
    out.insert(header::ALLOW, HeaderValue::from_static(METHODS));
    if let Some(origin) = allowed(&shared.settings, &headers) {
        let fixed: [(HeaderName, &'static str); 3] = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, SENT),
            (header::ACCESS_CONTROL_MAX_AGE, KEPT_SECONDS),
        ];
        out.extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
        out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    out.insert(header::VARY, HeaderValue::from_static("origin"));
    // Some of the routes bypass the layer that says so.
    out.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Lets the page that sent a request read its response, if the page's origin is configured. `is_open` says whether the response is public,
/// or was opened by a token or a link.
pub fn open(settings: &Settings, asked: &HeaderMap, is_open: bool, out: &mut HeaderMap) {
    if let Some(origin) = allowed(settings, asked).filter(|_| is_open) {
        out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        out.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(READ));
    }
}

/// The origin of a request as a response names it, if its pages may read here.
fn allowed(settings: &Settings, asked: &HeaderMap) -> Option<HeaderValue> {
    let origin = asked.get(header::ORIGIN)?;
    if settings.origins.iter().any(|known| known == "*") {
        return Some(HeaderValue::from_static("*"));
    }
    let is_known = settings.origins.iter().any(|known| origin.as_bytes() == known.as_bytes());
    is_known.then(|| origin.clone())
}
