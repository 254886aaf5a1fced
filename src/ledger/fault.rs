//! What verification can find wrong with an entry or with a stored answer, apart from the file that holds them.

use crate::kernel::budget::state::FoldFault;

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryFault {
    /// It does not follow from the entries before it.
    #[error(transparent)]
    Fold(#[from] FoldFault),
    /// The entry panics the pricing, because it was changed.
    #[error("it cannot be priced")]
    Unpriceable,
    /// The thread that checks it has ended.
    #[error("it could not be checked")]
    Unchecked,
    /// Its bytes do not match the hash that stands beside them.
    #[error("its bytes do not match its hash")]
    WrongHash,
    /// Its bytes are not exactly one entry of this version.
    #[error("its bytes are no entry")]
    Unreadable,
    /// The columns beside its bytes say something else.
    #[error("the columns beside it say something else")]
    OtherColumns,
    /// Its edition was never sealed.
    #[error("its edition was never sealed")]
    UnknownEdition,
    /// Its edition belongs to another dataset.
    #[error("its edition belongs to another dataset")]
    OtherDataset,
    /// Its SQL cannot be parsed.
    #[error("its SQL cannot be read")]
    UnreadableSql,
    /// Its SQL cannot be planned.
    #[error("its SQL cannot be planned")]
    UnplannableSql,
    /// The digest of its question differs from that of its plan.
    #[error("its question differs from the one in its plan")]
    OtherQuestion,
    /// It does not say what each measurement is worth.
    #[error("it does not say what each measurement is worth")]
    UnknownWorth,
    /// What it says that a measurement, or a point that it derives, is worth does not follow from what that is made of.
    #[error("what it is made of is not worth what it says")]
    OtherWorth,
    /// It draws fewer vectors than its plan measures.
    #[error("it draws less than its plan measures")]
    DrawsTooLittle,
    /// The δ of its threshold differs from that of its plan.
    #[error("its threshold differs from the one in its plan")]
    OtherThreshold,
    /// It has a threshold although it is made of several parts.
    #[error("it has a threshold although it is made of several parts")]
    ComposedThreshold,
    /// It draws a measurement that its plan does not have.
    #[error("it draws a measurement that its plan does not have")]
    UnknownMeasurement,
    /// The sensitivity of a draw differs from that of its plan.
    #[error("its sensitivity differs from the one in its plan")]
    OtherSensitivity,
    /// Its noise follows another mechanism than its dataset's.
    #[error("its noise is not of its dataset's family")]
    OtherMechanism,
    /// The noise of a point of a noise path is not what the levels around it ask for.
    #[error("the noise of its point is not what the points around it ask for")]
    OtherNoise,
    /// Its price does not cover its noise.
    #[error("its price does not cover its noise")]
    Underpriced,
    /// The terms of its edition cannot be read.
    #[error("its terms cannot be read")]
    UnreadableTerms,
}

/// What is wrong with a stored answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFault {
    /// The answer cannot be read.
    #[error("cannot be read")]
    Unreadable,
    /// The answer holds the id of another release.
    #[error("has another id")]
    OtherId,
    /// The answer's vectors are not those that its charge paid for.
    #[error("does not hold what its charge paid for")]
    OtherDraws,
    /// The answer does not store as many points of noise paths as its charge says.
    #[error("does not hold the points that its charge made")]
    OtherPoints,
    /// The answer's bytes do not match the digest in the chain.
    #[error("does not match its digest")]
    WrongDigest,
}
