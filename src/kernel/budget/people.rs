//! Who may do what.

use std::fmt;
use std::str::FromStr;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// What a token is good for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, BorshSerialize, BorshDeserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sets budgets and reads the ledger; asks nothing.
    Steward,
    /// Asks.
    Researcher,
    /// Reads published statistics.
    Viewer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Steward, Self::Researcher, Self::Viewer];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Steward => "steward",
            Self::Researcher => "researcher",
            Self::Viewer => "viewer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or_else(|| format!("\"{text}\" is not a role; roles are steward, researcher and viewer"))
    }
}

/// One person as the ledger knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name that they were added under.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// Who asks for published statistics, and whose account they are charged to; no person can have this name.
pub const STATISTICS: &str = "(statistics)";

/// Letters in a name at the most.
pub const NAME_CHARS_MAX: usize = 64;

/// Whether `name` can name a person: letters, digits and `. _ - @` in ASCII, beginning with a letter or a digit.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
    (1..=NAME_CHARS_MAX).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(plain)
}
