//! Reasons why an estimate is missing.

/// Why an estimate is missing. If several reasons apply, the greatest one is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AbsenceReason {
    /// The formula has no value: a quotient by 0, or a value that NULLIF removes.
    NoValue,
    /// A denominator cannot be told from 0 through its own noise, or noise has carried the argument of a square root below 0.
    LostInNoise,
    /// The estimate derives from a count that is too small to be shown.
    Hidden,
}

impl AbsenceReason {
    /// Word for this reason in answers.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NoValue => "no-value",
            Self::LostInNoise => "lost-in-noise",
            Self::Hidden => "hidden",
        }
    }
}

/// Both values, or the greater of the reasons why one is missing.
pub(super) fn both<A, B>(
    one: Result<A, AbsenceReason>,
    other: Result<B, AbsenceReason>,
) -> Result<(A, B), AbsenceReason> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) => Err(one.max(other)),
        (Err(reason), Ok(_)) | (Ok(_), Err(reason)) => Err(reason),
    }
}
