//! Signing in and out, and forms, which can only be sent from pages of their own session.
//!
//! Promises that a form counts only with the secret that its own session was given.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::extract::{Extension, FromRequest, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use super::places::local;
use super::shown::{Failed, Shown, see};
use crate::http::App;
use crate::http::body::{Body, arrived};
use crate::http::console::pages::sign_in as pages;
use crate::http::problem::Problem;
use crate::http::sessions::{SESSION_MS, set_cookie};
use crate::http::shared::Shared;
use crate::http::visitor::{Visitor, shared, visitor};
use crate::kernel::budget::people::{Role, TokenRefused};
use crate::service::publishing::saved_policies;
use crate::service::stewarding::accounts::timestamp;
use crate::service::stewarding::people::Token;

const TOKEN_BYTES_MAX: usize = 256;
/// The fields of forms that are never shown again.
const SECRETS: [&str; 2] = ["csrf", "token"];
/// The largest size of a form that holds a policy, in bytes. Written out for a form, a text may be three times as long.
const POLICY_FORM_BYTES_MAX: usize = 3 * saved_policies::TEXT_BYTES_MAX + (64 << 10);
/// The longest time in which such a form must arrive, in seconds.
const POLICY_FORM_SECONDS_MAX: u64 = 30;

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

    /// What was typed, by the names of fields, without what is secret.
    pub fn values(&self) -> BTreeMap<String, String> {
        let shown = self.fields.iter().filter(|(name, _)| !SECRETS.contains(&name.as_str()));
        shown.map(|(name, text)| (name.clone(), text.clone())).collect()
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
    parsed(&bytes, visitor)
}

fn parsed(bytes: &[u8], visitor: &Visitor) -> Result<HashMap<String, String>, Failed> {
    let mut fields = HashMap::new();
    for (name, value) in form_urlencoded::parse(bytes) {
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
        let sender = Sender::of(&parts, &visitor);
        let fields = fields(Request::from_parts(parts, body), service, &visitor).await?;
        sender.check(fields.get("csrf").map_or("", String::as_str))?;
        Ok(Self { visitor, fields })
    }
}

/// The sender of a form whose secret has not been read yet.
pub(super) struct Sender {
    visitor: Visitor,
    is_foreign: bool,
}

impl Sender {
    pub(super) fn of(parts: &Parts, visitor: &Visitor) -> Self {
        Self { visitor: visitor.clone(), is_foreign: is_foreign(&parts.headers, shared(parts).as_deref()) }
    }

    /// Accepts the form if it carries the secret of its own session and does not come from another site.
    pub(super) fn check(&self, word: &str) -> Result<(), Failed> {
        let own = &self.visitor.csrf;
        let is_own = blake3::Hash::from_hex(word).ok() == blake3::Hash::from_hex(own).ok() && !word.is_empty();
        if is_own && !self.is_foreign {
            return Ok(());
        }
        let detail = "the form was not sent from a page of this session; open the page again and send it from there";
        Err(self.visitor.fail(Problem::forbidden(detail)))
    }
}

/// A steward's form that holds a policy, and so may be larger than others.
pub struct PolicyForm(pub Form);

impl PolicyForm {
    /// The policy's text, with line ends as files have them; empty if there is nothing but blanks.
    pub fn policy(&self) -> String {
        let text = self.0.fields.get("text").map_or("", String::as_str).replace("\r\n", "\n");
        if text.trim().is_empty() { String::new() } else { text }
    }
}

impl FromRequest<App> for PolicyForm {
    type Rejection = Failed;
    async fn from_request(request: Request, service: &App) -> Result<Self, Failed> {
        let (parts, body) = request.into_parts();
        let visitor = visitor(&parts, service);
        visitor.only(&[Role::Steward])?;
        let sender = Sender::of(&parts, &visitor);
        let arriving = arrived(Request::from_parts(parts, body), POLICY_FORM_BYTES_MAX, POLICY_FORM_SECONDS_MAX);
        let bytes = arriving.await.map_err(|problem| visitor.fail(problem))?;
        let fields = parsed(&bytes, &visitor)?;
        sender.check(fields.get("csrf").map_or("", String::as_str))?;
        Ok(Self(Form { visitor, fields }))
    }
}

/// POST /sign-in: exchanges a token for a session, and leads to the page that was asked for.
pub async fn sign_in(State(service): State<App>, request: Request) -> Shown {
    let (parts, body) = request.into_parts();
    let shared = shared(&parts);
    let foreign = is_foreign(&parts.headers, shared.as_deref());
    let nobody = Visitor::default();
    let fields = fields(Request::from_parts(parts, body), &service, &nobody).await?;
    let next = fields.get("next").and_then(|next| local(next));
    let token = fields.get("token").map_or("", |text| text.trim());
    let digest = Token::digest(token);
    let known = if token.len() <= TOKEN_BYTES_MAX { service.bearer(token) } else { Err(TokenRefused::Unknown) };
    let signed = shared.filter(|_| known.is_ok() && !foreign).and_then(|shared| {
        let value = shared.sessions.sign(&digest, service.now_ms())?;
        Some(set_cookie(shared.settings.is_secure, &value, SESSION_MS / 1_000))
    });
    let Some(cookie) = signed else {
        let why = match known {
            Err(TokenRefused::Expired { at_ms }) => {
                format!("This token expired at {}. A steward gives another one.", timestamp(at_ms))
            }
            Ok(_) | Err(TokenRefused::Unknown) => "No valid token. A steward gives them.".to_owned(),
        };
        let mut response = nobody.page("Sign in", "/sign-in", &pages::page(Some(&why), next));
        *response.status_mut() = axum::http::StatusCode::UNAUTHORIZED;
        return Ok(response);
    };
    Ok(with_cookie(see(next.unwrap_or("/")), cookie))
}

/// POST /sign-out: removes the cookie. Its session remains valid until it expires or its token is revoked.
pub async fn sign_out(Extension(shared): Extension<Arc<Shared>>, _form: Form) -> Shown {
    Ok(with_cookie(see("/sign-in"), set_cookie(shared.settings.is_secure, "", 0)))
}

fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}
