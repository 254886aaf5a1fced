//! Why there is no estimate.

/// Why there is no estimate; of several reasons the greatest is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Absent {
    /// The formula has none: a quotient by 0, or what NULLIF takes away.
    NoValue,
    /// A denominator is not told from 0 through its own noise, or noise has carried the argument of a root below 0.
    LostInNoise,
    /// It is made of a count that is too small to be shown.
    Hidden,
}

impl Absent {
    /// The word for it in answers.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NoValue => "no-value",
            Self::LostInNoise => "lost-in-noise",
            Self::Hidden => "hidden",
        }
    }
}

/// Both of two, or the greater reason why not.
pub(super) fn both<A, B>(one: Result<A, Absent>, other: Result<B, Absent>) -> Result<(A, B), Absent> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) => Err(one.max(other)),
        (Err(reason), Ok(_)) | (Ok(_), Err(reason)) => Err(reason),
    }
}
