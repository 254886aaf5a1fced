//! What a steward sees first: how much of each cap is spent, when it would be used up at the present pace, and which accounts run low.
//!
//! Everything is computed from the ledger's state and a bounded number of its latest entries, so that the cost does not grow with its age.

use crate::kernel::budget::account::Account;
use crate::kernel::budget::entry::{AccountKind, Act, Entry};
use crate::kernel::budget::ledger::{Ledger, LedgerFault, read};
use crate::kernel::budget::state::LedgerState;
use crate::kernel::privacy::amounts::Price;
use crate::service::views::Fraction;

/// How far back the pace of spending is measured, in milliseconds: 30 days.
const PACE_MS: u64 = 30 * DAY_MS;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// The largest number of the latest entries from which the pace is measured.
const PACE_ENTRIES: u64 = 1_000;
/// An account runs low when at most this part of it is left.
const LOW: f64 = 0.1;
/// The largest number of accounts that run low which are named.
const LOW_SHOWN: usize = 8;

/// One dataset's cap at a glance.
#[derive(Debug, Clone, PartialEq)]
pub struct CapOutlook {
    /// The dataset's name.
    pub dataset: String,
    /// The part of the cap that is spent.
    pub spent: Fraction,
    /// The part of the cap that is allocated to projects, researchers and statistics; above 1 if they may add up to more.
    pub allocated: Fraction,
    /// Whether nothing is drawn until a steward acts.
    pub is_frozen: bool,
    /// Failures after a charge since a steward last unfroze the dataset.
    pub incidents: u32,
    /// The pace at which the cap was spent lately; `None` if nothing was.
    pub pace: Option<SpendingPace>,
}

/// How fast a cap is being spent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpendingPace {
    /// The number of days that were looked at, at most 30.
    pub days: f64,
    /// The part of the cap that was spent in them.
    pub part: Fraction,
    /// The number of days after which the cap is used up if it goes on like this.
    pub days_left: f64,
}

/// An account of which little is left.
#[derive(Debug, Clone, PartialEq)]
pub struct LowAccount {
    /// The kind of account.
    pub kind: AccountKind,
    /// Its holder's name; that of statistics is a word for them.
    pub name: String,
    /// The dataset that it spends from.
    pub dataset: String,
    /// The part of it that is spent.
    pub spent: Fraction,
}

/// All caps, ordered by dataset. Reads a bounded number of the ledger's latest entries.
///
/// # Errors
/// [`LedgerFault`] if they cannot be read.
pub fn caps(ledger: &dyn Ledger, now_ms: u64) -> Result<Vec<CapOutlook>, LedgerFault> {
    let head = read(ledger, |book| book.head().0);
    let latest = ledger.entries(head.saturating_sub(PACE_ENTRIES), PACE_ENTRIES as usize)?;
    let recent: Vec<_> = latest.into_iter().filter(|entry| entry.at_ms >= now_ms.saturating_sub(PACE_MS)).collect();
    Ok(read(ledger, |book| {
        let all = book.datasets().filter_map(|(name, _)| cap(book, name, &recent, now_ms));
        all.collect()
    }))
}

fn cap(book: &LedgerState, name: &str, recent: &[Entry], now_ms: u64) -> Option<CapOutlook> {
    let whole = book.dataset(name)?;
    let account = book.account(whole.account);
    let shares = book.shares_below(whole.account, None, now_ms);
    Some(CapOutlook {
        dataset: name.to_owned(),
        spent: Fraction::of(account.spent, account.amount),
        allocated: Fraction::of(shares, account.amount),
        is_frozen: whole.is_frozen(),
        incidents: whole.incidents,
        pace: pace(account, recent, now_ms),
    })
}

/// The pace at which a dataset was spent according to the entries of the last days. Less than a day says nothing.
fn pace(account: &Account, recent: &[Entry], now_ms: u64) -> Option<SpendingPace> {
    let days = now_ms.saturating_sub(recent.first()?.at_ms) as f64 / DAY_MS as f64;
    let paid = recent.iter().filter_map(|entry| {
        let Act::Charged(charge) = &entry.act else { return None };
        (charge.dataset == account.dataset).then_some(charge.legs.dataset)
    });
    let spent = paid.fold(Price::ZERO, Price::saturating_add);
    if spent == Price::ZERO || days < 1.0 {
        return None;
    }
    let left = account.amount.left_after(account.spent).quanta() as f64;
    let days_left = left / spent.quanta() as f64 * days;
    Some(SpendingPace { days, part: Fraction::of(spent, account.amount), days_left })
}

/// The accounts of which least is left, the emptiest first, and how many run low in all.
#[must_use]
pub fn low(ledger: &dyn Ledger, now_ms: u64) -> (Vec<LowAccount>, usize) {
    let mut low = read(ledger, |book| {
        let all = book.datasets().flat_map(|(name, _)| book.accounts_of(name));
        let below = all.filter(|account| account.kind != AccountKind::Dataset && account.amount > Price::ZERO);
        below
            .map(|account| low_account(account, now_ms))
            .filter(|low| low.spent.to_f64() >= 1.0 - LOW)
            .collect::<Vec<_>>()
    });
    low.sort_by(|one, other| other.spent.to_f64().total_cmp(&one.spent.to_f64()));
    let count = low.len();
    low.truncate(LOW_SHOWN);
    (low, count)
}

fn low_account(account: &Account, now_ms: u64) -> LowAccount {
    let name = match account.kind {
        AccountKind::Statistics => "published statistics".to_owned(),
        AccountKind::Dataset | AccountKind::Project | AccountKind::Researcher => account.name.clone(),
    };
    let spent = Fraction::of(account.spent_at(now_ms), account.amount);
    LowAccount { kind: account.kind, name, dataset: account.dataset.clone(), spent }
}
