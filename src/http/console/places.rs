//! Addresses of pages, redirects to them, and where a visitor goes on after signing in: the page that they asked for, or the page of the
//! form that they sent.
//!
//! Promises that nobody is led to another site: only a path of this server is taken, however the address is written.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::http::visitor::{Visitor, VisitorRequest};

/// Redirects to another page after a form, so that reloading does not send the form again.
pub fn see(path: &str) -> Response {
    let place = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

/// A path with query parameters; those without a value are left out.
pub fn address(path: &str, params: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(params.iter().filter(|(_, value)| !value.is_empty()));
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// The largest length of the address of a page to go on to, in bytes.
const NEXT_BYTES_MAX: usize = 8_000;

/// The word in the address of the page for signing in that says that a form was sent after the session's end.
pub const FORM: &str = "form";

/// The text if it is the path of a page here, which browsers cannot take for another site; `None` for anything else.
#[must_use]
pub fn local(text: &str) -> Option<&str> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    let is_path = text.starts_with('/') && !text.starts_with("//");
    let is_entrance = text.starts_with("/sign-");
    (is_path && !is_entrance && text.len() <= NEXT_BYTES_MAX && text.bytes().all(is_plain)).then_some(text)
}

/// The page with the form that is sent to a path: `/people/ada` for `/people/ada/tokens`.
fn page_of_form(path: &str) -> String {
    let path = path.split('?').next().unwrap_or("");
    let mut parts = path.split('/').skip(1);
    match (parts.next().unwrap_or(""), parts.next(), parts.next()) {
        ("grants", ..) => "/accounts".to_owned(),
        ("sign-out", ..) => "/".to_owned(),
        (noun @ ("people" | "datasets"), Some(name), Some(_)) => format!("/{noun}/{name}"),
        (noun, ..) => format!("/{noun}"),
    }
}

/// The page to go on to after signing in; empty for the first page.
fn next(request: &VisitorRequest) -> String {
    let wanted = if request.is_form { page_of_form(&request.address) } else { request.address.clone() };
    local(&wanted).filter(|place| *place != "/").unwrap_or("").to_owned()
}

/// Leads a visitor without a session to the page for signing in.
pub fn to_sign_in(visitor: &Visitor) -> Response {
    let ended = match (visitor.request.is_form, visitor.has_ended) {
        (true, _) => FORM,
        (false, true) => "1",
        (false, false) => "",
    };
    let place = address("/sign-in", &[("ended", ended), ("next", &next(&visitor.request))]);
    if visitor.request.is_for_script {
        // A script would follow a redirect, and put the page for signing in where it wanted a part of a page.
        let place = HeaderValue::from_str(&place).unwrap_or(HeaderValue::from_static("/sign-in"));
        return [(HeaderName::from_static("hx-redirect"), place)].into_response();
    }
    see(&place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_server_are_gone_on_to() {
        for place in ["/", "/ask", "/answers/rel_1?asked=7&page=2", "/ask?sql=SELECT%201%2F%2F2", "/s/a#b"] {
            assert_eq!(local(place), Some(place));
        }
        let long = format!("/{}", "a".repeat(NEXT_BYTES_MAX));
        for other in [
            "",
            "ask",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "/a\\b",
            "\\\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            " /ask",
            "/\t/evil.example",
            "/\n/evil.example",
            "/ask\r\nset-cookie: a=b",
            "/é",
            "/sign-in",
            "/sign-in?next=/ask",
            "/sign-out",
            long.as_str(),
        ] {
            assert_eq!(local(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_form_is_gone_on_with_at_its_page() {
        for (sent_to, page) in [
            ("/ask", "/ask"),
            ("/ask/price", "/ask"),
            ("/grants", "/accounts"),
            ("/requests/7/decide", "/requests"),
            ("/people", "/people"),
            ("/people/ada/tokens/revoke", "/people/ada"),
            ("/datasets/visits/freeze", "/datasets/visits"),
            ("/statistics/costs/refresh", "/statistics"),
            ("/sign-out", "/"),
        ] {
            assert_eq!(page_of_form(sent_to), page);
        }
    }
}
