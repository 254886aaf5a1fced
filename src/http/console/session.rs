//! Sessions: a signed cookie says who is signed in, and forms can only be sent from pages of the same session.
//!
//! Promises that a cookie is worthless once its token is revoked, that it cannot be forged or changed without the server's key, and that a
//! form counts only with the secret that its own session was given. The key lives as long as the process.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::super::body::Body;
use super::super::shared::Shared;
use super::super::{App, problem::Problem};
use super::{Failed, Shown, Visitor, see};
use crate::http::console::pages::sign_in as pages;
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::Person;
use crate::kernel::random;
use crate::service::stewarding::people::Token;

/// The duration of a session, in milliseconds.
const SESSION_MS: u64 = 8 * 60 * 60 * 1_000;
/// The size of a cookie's payload in bytes: expiry, nonce, and the digest of a token.
const PAYLOAD_BYTES: usize = 8 + 16 + 32;
const TOKEN_BYTES_MAX: usize = 256;

/// The key that signs cookies; `None` if the system gave no randomness, in which case nobody can sign in.
pub struct Sessions {
    key: Option<[u8; 32]>,
}

/// A session that a cookie proves.
struct Session {
    digest: [u8; 32],
    csrf: String,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { key: random::bytes().ok() }
    }
}

impl Sessions {
    /// The cookie's value for the holder of a token with this digest.
    fn sign(&self, digest: &[u8; 32], now_ms: u64) -> Option<String> {
        let nonce = random::bytes::<16>().ok()?;
        let mut payload = Vec::with_capacity(PAYLOAD_BYTES + 32);
        payload.extend(now_ms.saturating_add(SESSION_MS).to_be_bytes());
        payload.extend(nonce);
        payload.extend(digest);
        let seal = *self.seal("session", &payload)?.as_bytes();
        payload.extend(seal);
        Some(hex::encode(payload))
    }

    fn seal(&self, what: &str, payload: &[u8]) -> Option<blake3::Hash> {
        let mut hasher = blake3::Hasher::new_keyed(&self.key?);
        hasher.update(what.as_bytes()).update(&[0]).update(payload);
        Some(hasher.finalize())
    }

    /// The session of a cookie, if this server signed it and it has not expired.
    fn open(&self, cookie: &str, now_ms: u64) -> Option<Session> {
        let bytes = hex::decode(cookie).ok()?;
        let (payload, seal) = bytes.split_at_checked(PAYLOAD_BYTES)?;
        // Hashes compare in constant time.
        if self.seal("session", payload)? != blake3::Hash::from_bytes(seal.try_into().ok()?) {
            return None;
        }
        let (expiry, rest) = payload.split_first_chunk::<8>()?;
        let digest = rest.last_chunk::<32>()?;
        let csrf = self.seal("form", payload)?.to_hex().to_string();
        (u64::from_be_bytes(*expiry) > now_ms).then_some(Session { digest: *digest, csrf })
    }
}

/// The cookie's name. With TLS it has a prefix that keeps other hosts and plain HTTP pages from setting it.
fn cookie_name(is_secure: bool) -> &'static str {
    if is_secure { "__Host-tacit" } else { "tacit" }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

fn shared(parts: &Parts) -> Option<Arc<Shared>> {
    parts.extensions.get::<Arc<Shared>>().cloned()
}

/// The visitor who sends a request, according to the session cookie.
pub fn visitor(parts: &Parts, service: &App) -> Visitor {
    let found = shared(parts).and_then(|shared| {
        let value = cookie(&parts.headers, cookie_name(shared.settings.is_secure))?;
        let session = shared.sessions.open(value, service.now_ms())?;
        let person = read(service.ledger(), |book| book.bearer(&session.digest))?;
        Some(Visitor { person: Some(person), csrf: session.csrf, has_ended: false })
    });
    let name = cookie_name(shared(parts).is_some_and(|shared| shared.settings.is_secure));
    let has_ended = cookie(&parts.headers, name).is_some_and(|value| !value.is_empty());
    found.unwrap_or(Visitor { has_ended, ..Visitor::default() })
}

impl FromRequestParts<App> for Visitor {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, service: &App) -> Result<Self, Self::Rejection> {
        Ok(visitor(parts, service))
    }
}

/// A form that was sent from a page of its own session.
pub struct Form {
    /// The visitor who sent the form.
    pub visitor: Visitor,
    fields: HashMap<String, String>,
}

impl Form {
    /// A field's trimmed text; empty if there is no such field.
    pub fn text(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", |text| text.trim())
    }

    /// The boxes that were ticked: the rest of the name of each field that begins with `prefix`, sorted.
    pub fn ticked(&self, prefix: &str) -> Vec<String> {
        let mut ticked: Vec<_> =
            self.fields.keys().filter_map(|name| name.strip_prefix(prefix)).map(str::to_owned).collect();
        ticked.sort();
        ticked
    }

    /// A field's trimmed text; `None` if it is empty or there is no such field.
    pub fn some(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }
}

/// Whether the browser says that a form comes from another site. If it says nothing, the secret in the form decides alone.
fn is_foreign(headers: &HeaderMap, shared: Option<&Shared>) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let site = text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let origin = text("origin").and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    let own = shared.and_then(|shared| shared.settings.host.as_deref()).or(text("host"));
    site || origin.is_some_and(|origin| own.is_some_and(|host| host != origin))
}

async fn fields(request: Request, service: &App, visitor: &Visitor) -> Result<HashMap<String, String>, Failed> {
    let body = Body::from_request(request, service).await;
    let Body(bytes) = body.map_err(|problem| visitor.fail(problem))?;
    let mut fields = HashMap::new();
    for (name, value) in form_urlencoded::parse(&bytes) {
        if fields.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(visitor.fail(Problem::invalid_request("the form has a field twice")));
        }
    }
    Ok(fields)
}

impl FromRequest<App> for Form {
    type Rejection = Failed;
    async fn from_request(request: Request, service: &App) -> Result<Self, Failed> {
        let (parts, body) = request.into_parts();
        let visitor = visitor(&parts, service);
        if visitor.person.is_none() {
            return Err(visitor.fail(Problem::unauthenticated()));
        }
        let foreign = is_foreign(&parts.headers, shared(&parts).as_deref());
        let fields = fields(Request::from_parts(parts, body), service, &visitor).await?;
        let word = fields.get("csrf").map_or("", String::as_str);
        let is_own =
            blake3::Hash::from_hex(word).ok() == blake3::Hash::from_hex(&visitor.csrf).ok() && !word.is_empty();
        if foreign || !is_own {
            let detail =
                "the form was not sent from a page of this session; open the page again and send it from there";
            return Err(visitor.fail(Problem::forbidden(detail)));
        }
        Ok(Self { visitor, fields })
    }
}

fn set_cookie(shared: &Shared, value: &str, seconds: u64) -> HeaderValue {
    let is_secure = shared.settings.is_secure;
    let (name, secure) = (cookie_name(is_secure), if is_secure { "; Secure" } else { "" });
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// POST /sign-in: exchanges a token for a session.
pub async fn sign_in(State(service): State<App>, request: Request) -> Shown {
    let (parts, body) = request.into_parts();
    let shared = shared(&parts);
    let foreign = is_foreign(&parts.headers, shared.as_deref());
    let nobody = Visitor::default();
    let fields = fields(Request::from_parts(parts, body), &service, &nobody).await?;
    let token = fields.get("token").map_or("", |text| text.trim());
    let digest = Token::digest(token);
    let is_known = token.len() <= TOKEN_BYTES_MAX && service.bearer(token).is_some();
    let signed = shared.filter(|_| is_known && !foreign).and_then(|shared| {
        let value = shared.sessions.sign(&digest, service.now_ms())?;
        Some(set_cookie(&shared, &value, SESSION_MS / 1_000))
    });
    let Some(cookie) = signed else {
        let mut response =
            nobody.page("Sign in", "/sign-in", &pages::page(Some("No valid token. A steward gives them.")));
        *response.status_mut() = axum::http::StatusCode::UNAUTHORIZED;
        return Ok(response);
    };
    Ok(with_cookie(see("/"), cookie))
}

/// POST /sign-out: removes the cookie. Its session remains valid until it expires or its token is revoked.
pub async fn sign_out(axum::extract::Extension(shared): axum::extract::Extension<Arc<Shared>>, _form: Form) -> Shown {
    Ok(with_cookie(see("/sign-in"), set_cookie(&shared, "", 0)))
}

fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response.into_response()
}

/// The person of a session, for routes that a page links to.
pub fn person(parts: &Parts, service: &App) -> Option<Person> {
    visitor(parts, service).person
}
