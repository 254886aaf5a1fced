//! People and roles: who may do what.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

/// A person's role: what their token allows.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    BorshSerialize,
    BorshDeserialize,
    strum::Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", parse_err_ty = UnknownRole, parse_err_fn = no_role)]
pub enum Role {
    /// Sets budgets and reads the ledger; cannot ask queries.
    Steward,
    /// Asks queries, within their allocations.
    Researcher,
    /// Reads published statistics; cannot ask queries.
    Viewer,
}

impl Role {
    /// Every role, in the order in which they are listed to people.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The role's name in JSON, on the command line and in the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a role; roles are steward, researcher and viewer")]
pub struct UnknownRole {
    /// The text as it was given.
    pub text: String,
}

fn no_role(text: &str) -> UnknownRole {
    UnknownRole { text: text.to_owned() }
}

/// A person as the ledger knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The unique name under which the person was added.
    pub name: String,
    /// What the person may do; an act of a steward changes it.
    pub role: Role,
}

/// Name of the first token of a person, and of the tokens in ledgers that are older than names of tokens.
pub const FIRST_TOKEN: &str = "first";

/// Why a token lets nobody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    /// Nobody holds it: it was never given, or it was revoked.
    #[error("nobody holds the token")]
    Unknown,
    /// Its time is over.
    #[error("the token has expired")]
    Expired {
        /// When it expired, in milliseconds since 1970 in UTC.
        at_ms: u64,
    },
}

/// Name under which published statistics ask and are charged. It is not a valid name of a person.
pub const STATISTICS: &str = "(statistics)";

/// Maximum length of a name, in characters.
pub const NAME_CHARS_MAX: usize = 64;

/// Pattern of the names that [`is_name`] accepts.
pub const NAME_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$";

/// Returns whether `name` is a valid name of a person: ASCII letters, digits and `. _ - @`, starting with a letter or a digit.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
    (1..=NAME_CHARS_MAX).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(plain)
}
