//! Why a steward's act, or a request for budget, is refused.
//!
//! Each refusal is a fact with its values; the wording is made here and nowhere else.

use crate::kernel::budget::entry::{AccountKind, Cap};
use crate::kernel::budget::people::{NAME_CHARS_MAX, Role};
use crate::kernel::budget::state::REQUESTS_OPEN_MAX;
use crate::kernel::privacy::amounts::Epsilon;
use crate::kernel::random::NoRandomness;
use crate::query::error::shown;

/// Largest number of characters in a reason.
pub const REASON_CHARS_MAX: usize = 500;
/// Largest number of days in a period: ten years.
pub const PERIOD_DAYS_MAX: u32 = 3_660;
/// Largest number of tokens that a person holds at once.
pub const TOKENS_MAX: usize = 20;

/// What a request names does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Absence {
    /// No request for budget has this number.
    #[error("there is no request {number}")]
    Request {
        /// The number that was given.
        number: u64,
    },
    /// Nobody has this name.
    #[error("there is nobody named \"{}\"", shown(.name))]
    Person {
        /// The name that was given.
        name: String,
    },
    /// Nobody of this name holds a token.
    #[error("nobody named \"{}\" holds a token", shown(.name))]
    Token {
        /// The name that was given.
        name: String,
    },
    /// The person holds no token of this name.
    #[error("\"{}\" holds no token named \"{}\"", shown(.name), shown(.token))]
    NamedToken {
        /// The person's name.
        name: String,
        /// The token's name.
        token: String,
    },
    /// No statistic has this name.
    #[error("there is no statistic \"{}\"", shown(.name))]
    Statistic {
        /// The name that was given.
        name: String,
    },
}

/// What a request would create or decide exists, or is decided, already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The person holds a token.
    #[error("\"{name}\" exists and holds a token; end it first, by tacit researcher revoke or in the console")]
    TokenHeld {
        /// The person's name.
        name: String,
    },
    /// The person holds a token of this name.
    #[error("\"{name}\" holds a token named \"{token}\"; choose another name, or revoke that one first")]
    TokenNameHeld {
        /// The person's name.
        name: String,
        /// The token's name.
        token: String,
    },
    /// The person exists, with another role.
    #[error("\"{name}\" exists as a {role}; tacit researcher role changes that, and so does their page in the console")]
    OtherRole {
        /// The person's name.
        name: String,
        /// The role that they have.
        role: Role,
    },
    /// The request was decided before.
    #[error("request {number} was decided before; accepted is an open request")]
    RequestDecided {
        /// The number of the request.
        number: u64,
    },
}

/// The rule that a steward's act, or a request for budget, breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StewardFault {
    /// The reason is empty or too long.
    #[error("a reason has 1 to {REASON_CHARS_MAX} characters")]
    Reason,
    /// The name is not one that a person can have.
    #[error(
        "\"{}\" is not a valid name; accepted are 1 to {NAME_CHARS_MAX} letters, digits and . _ - @, \
         beginning with a letter or digit",
        shown(.name)
    )]
    Name {
        /// The name that was given.
        name: String,
    },
    /// The text does not say when a token expires.
    #[error("\"{}\" is not a time at which a token expires; accepted is a day like 2027-01-31 or a moment like 2027-01-31T18:00:00Z", shown(.text))]
    Expiry {
        /// The text that was given.
        text: String,
    },
    /// The token would have expired before it was given.
    #[error("a token expires in the future")]
    ExpiryOver,
    /// The person holds as many tokens as anybody may.
    #[error("\"{name}\" holds {TOKENS_MAX} tokens, the most that one person may hold; revoke one first")]
    TokensHeld {
        /// The person's name.
        name: String,
    },
    /// Without the person's token no steward would have one.
    #[error("\"{name}\" is the last steward; add another one first")]
    LastSteward {
        /// The person's name.
        name: String,
    },
    /// Datasets are given to viewers alone.
    #[error(
        "\"{name}\" is a {role}; only viewers are given datasets: a researcher sees the datasets they hold an account of, \
         and a steward sees all"
    )]
    NotViewer {
        /// The person's name.
        name: String,
        /// The person's role.
        role: Role,
    },
    /// The dataset is frozen already.
    #[error("\"{dataset}\" is frozen already")]
    Frozen {
        /// The dataset's name.
        dataset: String,
    },
    /// The dataset is not frozen, and it has no incidents to look into.
    #[error("\"{dataset}\" is not frozen")]
    NotFrozen {
        /// The dataset's name.
        dataset: String,
    },
    /// The policy protects another unit than the dataset was opened for.
    #[error(
        "dataset \"{dataset}\" was opened to protect \"{opened}\", and the policy's privacy_unit is \"{declared}\"; \
         seal it under another dataset name"
    )]
    OtherUnit {
        /// The dataset's name.
        dataset: String,
        /// The unit that the dataset was opened for.
        opened: String,
        /// The unit of the policy.
        declared: String,
    },
    /// The policy's cap differs from the one in the ledger.
    #[error(
        "dataset \"{dataset}\" was opened with another cap (epsilon {}, delta {}, of it {} for thresholds, at most {} a query, {}; \
         now epsilon {now}); the policy's must be the same; a lifetime cap rises by tacit grant --kind dataset alone",
        .opened.epsilon,
        .opened.delta(),
        .opened.threshold_delta,
        .opened.query_epsilon_max,
        .opened.accountant.name()
    )]
    OtherCap {
        /// The dataset's name.
        dataset: String,
        /// The cap as it was opened.
        opened: Box<Cap>,
        /// The ε of the cap now.
        now: Epsilon,
    },
    /// The total that a request asks for is not above what is held, or is above the dataset's cap.
    #[error(
        "epsilon is {epsilon}; accepted is a new total above your allocation of {held} and at most the dataset's cap of {cap}"
    )]
    RequestedTotal {
        /// The total that is asked for.
        epsilon: Epsilon,
        /// The allocation that the researcher holds.
        held: Epsilon,
        /// The dataset's lifetime cap.
        cap: Epsilon,
    },
    /// The researcher has too many open requests.
    #[error("you have {open} open requests; accepted are at most {REQUESTS_OPEN_MAX} at once")]
    RequestsOpen {
        /// Number of open requests.
        open: usize,
    },
    /// Granting the request would lower the allocation.
    #[error(
        "epsilon is {epsilon}, and \"{researcher}\" holds {held}; accepted is at least that, since granting a request lowers \
         nothing; or decline it"
    )]
    GrantedTotal {
        /// The total that would be granted.
        epsilon: Epsilon,
        /// The name of the researcher who asks.
        researcher: String,
        /// The allocation that the researcher holds.
        held: Epsilon,
    },
    /// A draw of the statistic costs more than the steward agrees to.
    #[error(
        "a draw of \"{name}\" costs epsilon {epsilon}, which is more than the agreed maximum of {most}; nothing was spent"
    )]
    StatisticPrice {
        /// The statistic's name.
        name: String,
        /// The price of a draw.
        epsilon: Epsilon,
        /// The most that a draw may cost.
        most: Epsilon,
    },
    /// No steward has confirmed the statistic's price.
    #[error(
        "\"{name}\" waits for a steward to confirm its price: tacit statistics publish {name}, or the button on its page in \
         the console"
    )]
    Unconfirmed {
        /// The statistic's name.
        name: String,
    },
    /// The dataset has no account from which statistics are paid.
    #[error(
        "\"{dataset}\" has no statistics account; open one: tacit grant {dataset} {dataset} --kind statistics --epsilon E \
         --reason TEXT"
    )]
    NoStatisticsAccount {
        /// The dataset's name.
        dataset: String,
    },
    /// The grant cannot be made.
    #[error(transparent)]
    Grant(#[from] GrantFault),
    /// The system gives no random bytes for a token or a key.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// Why an allocation cannot be set, or a lifetime cap cannot be raised.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantFault {
    /// The dataset was never opened.
    #[error("there is no such dataset")]
    UnknownDataset,
    /// The account that would be set, or the one above it, does not exist.
    #[error("there is no such account")]
    UnknownAccount,
    /// The lifetime cap was raised while its amount was computed.
    #[error("the lifetime cap was raised meanwhile; grant again")]
    CapRaised,
    /// A lifetime cap would not rise.
    #[error("the lifetime cap is epsilon {cap} and only rises; epsilon {epsilon} is not above it")]
    CapNotRaised {
        /// The dataset's present cap, as ε.
        cap: Epsilon,
        /// The cap that was asked for.
        epsilon: Epsilon,
    },
    /// The name is not one that a project can have.
    #[error("\"{}\" is not a valid project name", shown(.project))]
    ProjectName {
        /// The name that was given.
        project: String,
    },
    /// The length of a period is out of range.
    #[error("period_days is {days}; accepted is 1 to {PERIOD_DAYS_MAX}")]
    Period {
        /// The number of days that was given.
        days: u32,
    },
    /// The person is no researcher.
    #[error("\"{name}\" is a {role}; only researchers hold accounts")]
    NotResearcher {
        /// The person's name.
        name: String,
        /// The person's role.
        role: Role,
    },
    /// No researcher has this name.
    #[error("there is no researcher \"{}\"", shown(.name))]
    UnknownResearcher {
        /// The name that was given.
        name: String,
    },
    /// The dataset has no project of this name.
    #[error("the dataset has no project \"{}\"; grant it first", shown(.project))]
    UnknownProject {
        /// The name that was given.
        project: String,
    },
    /// The researcher's account is below another account, and cannot be moved.
    #[error(
        "\"{name}\" holds an account below {} already; what it spent was spent there",
        .project.as_deref().unwrap_or("the dataset itself")
    )]
    OtherParent {
        /// The researcher's name.
        name: String,
        /// The project that the account is below; `None` if it is directly below the dataset's.
        project: Option<String>,
    },
    /// The allocation does not fit below the account above it.
    #[error(
        "an allocation of epsilon {epsilon} does not fit: allocations sum to at most {} of {above}{}; \
         the largest that fits is {largest}",
        whose(.of),
        unless(.oversubscribe)
    )]
    NoRoom {
        /// The allocation that was asked for.
        epsilon: Epsilon,
        /// Kind and name of the account above.
        of: (AccountKind, String),
        /// The ε of the account above.
        above: Epsilon,
        /// Whether the policy lets allocations sum to more than the account above.
        oversubscribe: bool,
        /// The largest allocation that fits.
        largest: Epsilon,
    },
}

/// The account above an allocation, in words.
fn whose((kind, name): &(AccountKind, String)) -> String {
    match kind {
        AccountKind::Dataset => "the dataset's cap".to_owned(),
        AccountKind::Project | AccountKind::Researcher | AccountKind::Statistics => {
            format!("project \"{name}\"'s allocation")
        }
    }
}

/// The way to let allocations sum to more, if it is not taken already.
fn unless(oversubscribe: &bool) -> &'static str {
    if *oversubscribe { "" } else { " (unless the policy says oversubscribe = true)" }
}
