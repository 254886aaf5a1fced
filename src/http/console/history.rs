//! The history of a researcher's questions: when each was answered, what it cost them, and how to ask it again.
//!
//! Promises that the shares shown for a dataset add up to what was spent of the account on answers, and that a page looks at a bounded
//! number of answers, however long the history is.

use axum::extract::State;
use serde::Deserialize;

use super::answers::place;
use super::shown::{AddressParams, Shown, address, aside, see};
use crate::http::App;
use crate::http::console::pages::history::{self as pages, HistoryLine, HistoryPage};
use crate::http::params::Segment;
use crate::http::visitor::Visitor;
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::Role;
use crate::kernel::privacy::amounts::Price;
use crate::service::asking::served::ServedAnswer;
use crate::service::asking::stored::StoredSummary;
use crate::service::stewarding::accounts::Fraction;
use crate::service::{Service, ServiceError};

/// The number of answers on a page.
const LINES: usize = 50;
/// The largest number of answers that one page searches; the next page continues where it ended.
const LOOKED_MAX: usize = 500;

/// Query parameters that choose a page of the history.
#[derive(Deserialize)]
pub struct HistoryParams {
    before: Option<u64>,
    find: Option<String>,
    dataset: Option<String>,
}

/// What is looked for in a history; empty texts fit everything.
struct Wanted {
    find: String,
    dataset: String,
}

impl Wanted {
    /// Whether an answer is looked for, by the words of the question that its owner asked.
    fn fits(&self, stored: &StoredSummary, own: Option<&ServedAnswer>) -> bool {
        let tells = |text: &str| text.to_lowercase().contains(&self.find);
        let sql = own.and_then(|own| own.sql.as_deref()).unwrap_or(&stored.sql);
        (self.dataset.is_empty() || stored.release.subject.dataset == self.dataset)
            && (tells(sql) || stored.purpose.as_deref().is_some_and(tells))
    }
}

/// GET /history: the answers that were served to the researcher, the latest first.
pub async fn history(
    State(service): State<App>,
    visitor: Visitor,
    AddressParams(params): AddressParams<HistoryParams>,
) -> Shown {
    let person = visitor.only(&[Role::Researcher])?;
    let show = move |service: &Service, visitor: &Visitor| {
        let (find, dataset) = (params.find.unwrap_or_default(), params.dataset.unwrap_or_default());
        let wanted = Wanted { find: find.trim().to_lowercase(), dataset };
        let (lines, older) = found(service, &person.name, &wanted, params.before)?;
        let before = older.map(|before| before.to_string());
        let dataset = wanted.dataset.as_str();
        let older =
            before.map(|before| address("/history", &[("find", &find), ("dataset", dataset), ("before", &before)]));
        // Answers about a joined table are answers about its dataset.
        let seen = service.datasets_seen_by(&person).filter(|dataset| dataset.lineage == dataset.name);
        let datasets: Vec<_> = seen.map(|dataset| dataset.name.as_str()).collect();
        let page = HistoryPage { lines: &lines, datasets: &datasets, find: &find, dataset, older: older.as_deref() };
        Ok(visitor.page("History", "/history", &pages::page(&page)))
    };
    aside(&service, visitor, show).await
}

/// The latest answers that were served to a researcher, at most `limit`.
pub(super) fn latest(service: &Service, who: &str, limit: usize) -> Result<Vec<HistoryLine>, ServiceError> {
    let served = served(service, who, u64::MAX, limit);
    let shown = |(seq, id): &(u64, String)| {
        let (stored, own) = (service.stored_summary(id)?, service.served_by(who, *seq)?);
        Ok(line(service, who, *seq, stored, own))
    };
    served.iter().map(shown).collect()
}

/// The ids of the answers served before an entry, newest first, each with the number of the entry that served it.
fn served(service: &Service, who: &str, before: u64, limit: usize) -> Vec<(u64, String)> {
    read(service.ledger(), |book| {
        let latest = book.served_before(who, before, limit);
        latest.into_iter().map(|(seq, card)| (seq, card.id.clone())).collect()
    })
}

/// A page of answers that fit, and the entry before which the next page begins, if there is one.
fn found(
    service: &Service,
    who: &str,
    wanted: &Wanted,
    before: Option<u64>,
) -> Result<(Vec<HistoryLine>, Option<u64>), ServiceError> {
    let (mut lines, mut last) = (Vec::new(), before.unwrap_or(u64::MAX));
    let looked_at = served(service, who, last, LOOKED_MAX + 1);
    for (place, (seq, id)) in looked_at.iter().enumerate() {
        if place == LOOKED_MAX || lines.len() == LINES {
            return Ok((lines, Some(last)));
        }
        let (stored, own) = (service.stored_summary(id)?, service.served_by(who, *seq)?);
        if wanted.fits(&stored, own.as_ref()) {
            lines.push(line(service, who, *seq, stored, own));
        }
        last = *seq;
    }
    Ok((lines, None))
}

/// An answer in a history, in the words of the question that its owner asked.
fn line(service: &Service, who: &str, seq: u64, stored: StoredSummary, own: Option<ServedAnswer>) -> HistoryLine {
    let paid = own.as_ref().map_or(Price::ZERO, |own| own.standing.legs.researcher);
    let at_ms = own.as_ref().map_or(stored.at_ms, |own| own.at_ms);
    let dataset = stored.release.subject.dataset;
    let lineage = service.dataset(&dataset).map_or(dataset.as_str(), |dataset| dataset.lineage.as_str());
    let amount = read(service.ledger(), |book| book.researcher(lineage, who).map(|account| account.amount));
    let own_sql = own.and_then(|own| own.sql);
    let place = place(&stored.release.id, own_sql.is_some().then_some(seq));
    let sql = own_sql.unwrap_or(stored.sql);
    HistoryLine {
        when: service.minute(at_ms),
        share: (paid > Price::ZERO).then(|| Fraction::of(paid, amount.unwrap_or(Price::ZERO))),
        again: address("/ask", &[("sql", &sql)]),
        place,
        purpose: stored.purpose.filter(|_| stored.researcher == who),
        sql,
        dataset,
    }
}

/// GET /history/{id}: the address that an answer had before.
pub async fn moved(visitor: Visitor, Segment(id): Segment) -> Shown {
    visitor.only(&[Role::Researcher])?;
    Ok(see(&format!("/answers/{}", id.replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', ""))))
}
