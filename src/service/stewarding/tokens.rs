//! Tokens of people: further ones, with names and ends, and when each was last used.
//!
//! Promises that an expired token opens no door, and that the last steward does not lose their last token.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::entries::{DAY_MS, day_ms};
use super::fault::{Absence, Conflict, StewardFault, TOKENS_MAX};
use super::people::Token;
use crate::kernel::budget::entry::{Act, Digest, IssuedToken, VerifiedToken};
use crate::kernel::budget::ledger::{Ledger, act, read};
use crate::kernel::budget::people::{FIRST_TOKEN, Person, Role, TokenRefused, is_name};
use crate::kernel::budget::state::{LedgerState, TokenRecord};
use crate::service::views::timestamp;
use crate::service::{Service, ServiceError};

/// A token to give: its name among those of its holder, and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenTerms {
    /// The token's name.
    pub name: String,
    /// From when on it is refused, in milliseconds since 1970 in UTC; `None` if it does not expire.
    pub expires_ms: Option<u64>,
}

/// Reads when a token expires: a moment like `2027-01-31T18:00:00Z`, or a day like `2027-01-31`, at whose end in UTC it does.
///
/// # Errors
/// [`StewardFault::Expiry`] for any other text.
pub fn expiry_ms(text: &str) -> Result<u64, StewardFault> {
    let day = day_ms(text).map(|begins| begins.saturating_add(DAY_MS));
    let moment = || u64::try_from(text.parse::<Timestamp>().ok()?.as_millisecond()).ok();
    day.or_else(moment).ok_or_else(|| StewardFault::Expiry { text: text.to_owned() })
}

/// Gives another token to a person who was added before, also to one whose tokens were revoked.
///
/// # Errors
/// [`ServiceError::NotFound`] if there is no such person; [`ServiceError::Invalid`] for an invalid name or a time that is over;
/// [`ServiceError::AlreadyExists`] if the person holds a token of this name.
pub fn issue(ledger: &dyn Ledger, name: &str, terms: TokenTerms, by: &str, now_ms: u64) -> Result<Token, ServiceError> {
    let (person, issuer) = (name.to_owned(), by.to_owned());
    give(ledger, name, terms, now_ms, move |book, terms, token| {
        let (role, _) = book.person(&person).ok_or_else(|| Absence::Person { name: person.clone() })?;
        let TokenTerms { name: token_name, expires_ms: expires_at_ms } = terms;
        if book.tokens_of(&person).iter().any(|known| known.name == token_name) {
            return Err(Conflict::TokenNameHeld { name: person, token: token_name }.into());
        }
        if book.tokens_of(&person).len() >= TOKENS_MAX {
            return Err(StewardFault::TokensHeld { name: person }.into());
        }
        Ok(IssuedToken { name: person, role, datasets: None, token_name, token, expires_at_ms, by: issuer })
    })
}

/// Adds a person whose first token expires.
///
/// # Errors
/// The errors of [`super::people::add_person`] and of [`super::people::add_viewer`]; [`ServiceError::Invalid`] for a time that is over.
pub fn add_until(
    ledger: &dyn Ledger,
    (name, role, datasets): (&str, Role, Option<&[String]>),
    expires_ms: u64,
    by: &str,
    now_ms: u64,
) -> Result<Token, ServiceError> {
    if !is_name(name) {
        return Err(StewardFault::Name { name: name.to_owned() }.into());
    }
    let datasets = datasets.map(|datasets| super::people::known(ledger, datasets)).transpose()?;
    let (holder, name, by) = (name, name.to_owned(), by.to_owned());
    let terms = TokenTerms { name: FIRST_TOKEN.to_owned(), expires_ms: Some(expires_ms) };
    give(ledger, holder, terms, now_ms, move |book, terms, token| match book.person(&name) {
        Some((_, true)) => Err(Conflict::TokenHeld { name }.into()),
        Some((other, false)) if other != role => Err(Conflict::OtherRole { name, role: other }.into()),
        Some((_, false)) | None => {
            let TokenTerms { name: token_name, expires_ms: expires_at_ms } = terms;
            Ok(IssuedToken { name, role, datasets, token_name, token, expires_at_ms, by })
        }
    })
}

fn give(
    ledger: &dyn Ledger,
    holder: &str,
    terms: TokenTerms,
    now_ms: u64,
    issued: impl FnOnce(&LedgerState, TokenTerms, Digest) -> Result<IssuedToken, ServiceError> + Send + 'static,
) -> Result<Token, ServiceError> {
    if !is_name(&terms.name) {
        return Err(StewardFault::Name { name: terms.name }.into());
    }
    if terms.expires_ms.is_some_and(|expires_ms| expires_ms <= now_ms) {
        return Err(StewardFault::ExpiryOver.into());
    }
    let token = Token::new().map_err(StewardFault::from)?;
    let (digest, verifier) = (token.digested(), token.verifier(holder));
    let rule = move |book: &LedgerState| {
        let issued = issued(book, terms, digest)?;
        Ok::<_, ServiceError>(Act::TokenIssuedWithVerifier(Box::new(VerifiedToken { issued, verifier })))
    };
    act(ledger, rule, now_ms)??;
    Ok(token)
}

/// Revokes one token of a person. The last steward keeps their last token that has not expired.
///
/// # Errors
/// [`ServiceError::NotFound`] if the person holds no token of this name; [`ServiceError::Invalid`] for the last steward.
pub fn revoke_one(ledger: &dyn Ledger, name: &str, token: &str, by: &str, now_ms: u64) -> Result<(), ServiceError> {
    let (name, token_name, by) = (name.to_owned(), token.to_owned(), by.to_owned());
    let rule = move |book: &LedgerState| {
        let held = book.tokens_of(&name);
        let Some(token) = held.iter().find(|token| token.name == token_name) else {
            return Err(ServiceError::from(Absence::NamedToken { name, token: token_name }));
        };
        let is_steward = book.person(&name).is_some_and(|(role, _)| role == Role::Steward);
        let others = held.iter().any(|other| other.name != token.name && !other.has_expired(now_ms));
        if is_steward && !token.has_expired(now_ms) && !others && !book.has_other_steward(&name, now_ms) {
            return Err(StewardFault::LastSteward { name }.into());
        }
        Ok(Act::NamedTokenRevoked { name, token_name, by })
    };
    act(ledger, rule, now_ms)?.map(|_| ())
}

/// A token of a person, and when it was last used since the server started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenView {
    /// The token as the ledger keeps it: its name, digest and end.
    pub record: TokenRecord,
    /// Whether its time is over.
    pub has_expired: bool,
    /// Its last use, to the minute, in milliseconds since 1970 in UTC; `None` if it was not used since the server started.
    pub used_ms: Option<u64>,
}

/// A token of a person as JSON shows it, without its text, which nobody keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HeldToken {
    /// The token's name.
    pub name: String,
    /// When it was given, in UTC.
    pub issued_at: String,
    /// From when on it is refused, in UTC; absent if it does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Whether its time is not over.
    pub active: bool,
    /// When it was last used, in UTC, to the minute; absent if it was not used since the server started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
}

impl From<TokenView> for HeldToken {
    fn from(view: TokenView) -> Self {
        let TokenView { record, has_expired, used_ms } = view;
        Self {
            name: record.name,
            issued_at: timestamp(record.issued_ms),
            expires: record.expires_ms.map(timestamp),
            active: !has_expired,
            last_used: used_ms.map(timestamp),
        }
    }
}

/// A token as it is given. Its text is shown only once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GivenToken {
    /// The holder's name.
    pub researcher: String,
    /// The token's name.
    pub name: String,
    /// The token's text.
    pub token: String,
    /// From when on it is refused, in UTC; absent if it does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// The tokens that a person holds, in the order in which they were given; `None` if there is no such person. Of their uses, only those that
/// `used` knows are shown.
#[must_use]
pub fn held(
    ledger: &dyn Ledger,
    name: &str,
    used: impl Fn(&Digest) -> Option<u64>,
    now_ms: u64,
) -> Option<Vec<TokenView>> {
    let held = read(ledger, |book| book.person(name).map(|_| book.tokens_of(name).to_vec()))?;
    let view = |record: TokenRecord| TokenView {
        has_expired: record.has_expired(now_ms),
        used_ms: used(&record.digest),
        record,
    };
    Some(held.into_iter().map(view).collect())
}

impl Service {
    /// The person who holds this token.
    ///
    /// # Errors
    /// [`TokenRefused`] if nobody does, or its time is over.
    pub fn bearer(&self, token: &str) -> Result<Person, TokenRefused> {
        self.holder(&Token::digest(token))
    }

    /// The person who holds the token with this digest, like [`Service::bearer`].
    ///
    /// # Errors
    /// [`TokenRefused`] if nobody does, or its time is over.
    pub fn holder(&self, token: &Digest) -> Result<Person, TokenRefused> {
        let now_ms = self.now_ms();
        let person = read(self.ledger(), |book| book.bearer(token, now_ms))?;
        self.uses.note(token, now_ms);
        Ok(person)
    }

    /// The person who holds the token with this digest, if anybody does; unlike [`Service::holder`], this is no use of the token: somebody
    /// else reads what its holder has shared.
    #[must_use]
    pub fn maker(&self, token: &Digest) -> Option<Person> {
        read(self.ledger(), |book| book.bearer(token, self.now_ms())).ok()
    }

    /// The tokens that a person holds, in the order in which they were given; `None` if there is no such person.
    #[must_use]
    pub fn tokens_of(&self, name: &str) -> Option<Vec<TokenView>> {
        held(self.ledger(), name, |token| self.uses.last_ms(token), self.now_ms())
    }
}
