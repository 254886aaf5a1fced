//! Why an entry cannot follow the entries before it.

/// What is wrong with an entry that does not follow from the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FoldFault {
    /// Its number or the hash of its predecessor differs from the last entry's.
    #[error("it is not the successor of the entry before")]
    NotSuccessor,
    /// Nobody has the name that it mentions.
    #[error("nobody has its name")]
    UnknownPerson,
    /// Its person was added with another role.
    #[error("its person has another role")]
    OtherRole,
    /// Its person holds a token of the same name.
    #[error("its person holds a token of this name")]
    TokenNameHeld,
    /// Its person holds no token of this name.
    #[error("its person holds no token of this name")]
    UnknownToken,
    /// Its dataset was never opened.
    #[error("its dataset was never opened")]
    UnknownDataset,
    /// Its dataset was opened before.
    #[error("its dataset was opened before")]
    DatasetOpened,
    /// It would lower a lifetime cap, or leave it as it is.
    #[error("a lifetime cap only rises")]
    CapNotRaised,
    /// Its project was never granted an allocation.
    #[error("its project was never granted")]
    UnknownProject,
    /// Its account exists below another account.
    #[error("its account hangs below another one")]
    OtherParent,
    /// The state can hold no more accounts.
    #[error("there are too many accounts")]
    AccountsFull,
    /// The state can hold no more releases or draws.
    #[error("there are too many releases")]
    ReleasesFull,
    /// Its researcher holds no account of the dataset.
    #[error("its researcher holds no account")]
    NoAccount,
    /// It uses a vector that is not stored.
    #[error("it uses a vector that is not stored")]
    UnknownDraw,
    /// It uses a point of a noise path that is not stored.
    #[error("it uses a point that is not on its path")]
    UnknownPoint,
    /// Its new point is not made from the points next to it, or not worth what it says.
    #[error("its point does not lie where it says")]
    MisplacedPoint,
    /// Another answer is making a point of the same path.
    #[error("another answer is making a point of its path")]
    PathTaken,
    /// The sum of its prices overflows.
    #[error("its price overflows")]
    PriceOverflow,
    /// The sum of its cells overflows.
    #[error("its cells overflow")]
    CellsOverflow,
    /// What it posts to the accounts differs from the sum of its draws.
    #[error("its legs are not the sum of its draws")]
    WrongLegs,
    /// Its release was charged before.
    #[error("its release was charged before")]
    ReleaseCharged,
    /// It draws from a dataset that was frozen.
    #[error("its dataset was frozen")]
    Frozen,
    /// It costs more than one query may.
    #[error("it costs more than one query may")]
    OverQueryLimit,
    /// Its threshold takes more δ than the dataset sets aside.
    #[error("its threshold takes more than is set aside")]
    ThresholdOverspent,
    /// With it, the dataset would have drawn more cells than its guarantee was proved for.
    #[error("the cells overflow")]
    CellsExhausted,
    /// It spends more than one of its accounts holds.
    #[error("it spends more than its account holds")]
    Overspent,
    /// The balance that it records differs from the one of the fold.
    #[error("its balance is not the fold's")]
    WrongBalance,
    /// Its idempotency key was used before.
    #[error("its key was used before")]
    KeyUsed,
    /// Its answer was never charged.
    #[error("its answer was never charged")]
    UnknownAnswer,
    /// Its answer had been stored or burned before.
    #[error("its answer had ended before")]
    AnswerEnded,
    /// Its answer is not stored.
    #[error("its answer is not stored")]
    AnswerNotStored,
    /// It decides on a request that was never made.
    #[error("there is no such request")]
    UnknownRequest,
    /// Its request was decided before.
    #[error("its request was decided before")]
    RequestDecided,
    /// It grants something other than what its request asks for.
    #[error("its grant is of another researcher or dataset than its request")]
    OtherRequest,
    /// It reached a part of the fold that does not handle acts of its kind.
    #[error("it is no act of the desk")]
    Misplaced,
    /// It holds an act that files cannot declare.
    #[error("it holds an act that files cannot declare")]
    Undeclarable,
    /// Its dataset has no statistics account.
    #[error("its dataset has no statistics account")]
    NoStatisticsAccount,
    /// Its answer was never served to the statistics account.
    #[error("its answer was not served to the statistics account")]
    AnswerNotServed,
}
