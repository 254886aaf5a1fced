//! What a signed link is made for: a statistic or an answer that its maker may see.

use axum::http::HeaderMap;

use super::App;
use super::api::statistics::unknown;
use super::auth::with_role;
use super::formats::CsvStyle;
use super::forms::FileForm;
use super::links::{DAY_MS, LINK_DAYS, LINK_DAYS_MAX, PARAMETER, SignedLink};
use super::problem::Problem;
use super::shared::Shared;
use crate::kernel::budget::entry::Digest;
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::{Person, Role};
use crate::query::error::shown;
use crate::service::Service;
use crate::service::access::Sight;

/// The things that links open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    /// A published statistic, by its name.
    Statistic(String),
    /// A stored answer, by the id of its release.
    Release(String),
}

impl Thing {
    /// The thing that a request names in one of two fields.
    ///
    /// # Errors
    /// A problem if both are named, or none.
    pub fn of(statistic: Option<String>, release: Option<String>) -> Result<Self, Problem> {
        match (statistic, release) {
            (Some(name), None) => Ok(Self::Statistic(name)),
            (None, Some(id)) => Ok(Self::Release(id)),
            (Some(_), Some(_)) | (None, None) => {
                Err(Problem::invalid_request("a link is to a statistic or to a release: name one of them"))
            }
        }
    }

    /// The path of the thing without an ending.
    pub fn path(&self) -> String {
        match self {
            Self::Statistic(name) => format!("/v1/statistics/{name}"),
            Self::Release(id) => format!("/v1/releases/{id}"),
        }
    }

    /// Checks that a person may see the thing. If they may not, it is as if it did not exist.
    ///
    /// # Errors
    /// A problem if they may not see it.
    pub fn seen_by(&self, service: &Service, person: &Person) -> Result<(), Problem> {
        let is_seen = match self {
            Self::Statistic(name) => {
                let statistic = service.statistic(name).ok_or_else(|| unknown(name))?;
                matches!(service.sight(statistic, Some(person)), Sight::Nothing | Sight::Shown { .. })
            }
            Self::Release(id) => {
                with_role(person.clone(), &[Role::Researcher, Role::Steward])?;
                service.may_see_release(person, id)
            }
        };
        match self {
            _ if is_seen => Ok(()),
            Self::Statistic(name) => Err(unknown(name)),
            Self::Release(_) => Err(Problem::not_found("there is no such release that you may see")),
        }
    }
}

/// A link to make.
pub struct LinkWish {
    /// The statistic or the answer that the link opens.
    pub thing: Thing,
    /// The ending of the form that its address names, like `csv`; `None` for an address without one.
    pub format: Option<String>,
    /// Its life in days; [`LINK_DAYS`] if `None`.
    pub days: Option<u32>,
}

/// A link that was made.
pub struct MadeLink {
    /// The address from the server's root on.
    pub address: String,
    /// The moment from which on it is refused, in milliseconds since 1970 in UTC.
    pub end_ms: u64,
}

/// Makes a link for the holder of a token with this digest. It ends with the token at the latest.
///
/// # Errors
/// A problem if they may not see the thing, or if the wish is not valid.
pub fn made(
    service: &App,
    shared: &Shared,
    (person, token): (&Person, Digest),
    wish: &LinkWish,
) -> Result<MadeLink, Problem> {
    let days = wish.days.unwrap_or(LINK_DAYS);
    if !(1..=LINK_DAYS_MAX).contains(&days) {
        return Err(Problem::invalid_request(format!("days is {days}; accepted is 1 to {LINK_DAYS_MAX}")));
    }
    let ending = wish.format.as_deref().map(known_ending).transpose()?;
    wish.thing.seen_by(service, person)?;
    let token_ends = read(service.ledger(), |book| {
        let held = book.tokens_of(&person.name).iter().find(|held| held.digest == token);
        held.and_then(|held| held.expires_ms)
    });
    let asked_ms = service.now_ms().saturating_add(u64::from(days) * DAY_MS);
    let end_ms = token_ends.map_or(asked_ms, |token_ms| token_ms.min(asked_ms));
    let path = wish.thing.path();
    let text = shared.links.sign(&path, SignedLink { maker: token, end_ms });
    let text = text.ok_or_else(|| Problem::overloaded("the system gave no randomness for links"))?;
    let ending = ending.map_or_else(String::new, |ending| format!(".{ending}"));
    Ok(MadeLink { address: format!("{path}{ending}?{PARAMETER}={text}"), end_ms })
}

fn known_ending(ending: &str) -> Result<&'static str, Problem> {
    let form = FileForm::of_ending(ending, CsvStyle::default());
    form.map(FileForm::ending)
        .ok_or_else(|| Problem::invalid_request(format!("format is \"{}\"; it is no ending of a file", shown(ending))))
}

/// The origin of addresses that people pass on: as the configuration says, or else as their browser reached the server.
pub fn origin(shared: &Shared, headers: &HeaderMap) -> String {
    let host = headers.get(axum::http::header::HOST).and_then(|host| host.to_str().ok());
    let scheme = if shared.settings.is_secure { "https" } else { "http" };
    match shared.settings.host.as_deref().or(host) {
        Some(host) => format!("{scheme}://{host}"),
        None => String::new(),
    }
}
