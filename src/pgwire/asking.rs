//! Questions: from a statement's text to the rows that are sent, by the same path as at every door.
//!
//! Promises that what is charged is charged by work of its own, which a client who hangs up or cancels does not stop; that an answer leaves
//! when its padding lets it; and that a session with a limit spends no more than that.

use std::collections::HashMap;
use std::sync::Arc;

use super::columns;
use super::fault::{DoorFault, Notice, state};
use super::table::{Column, Table};
use crate::kernel::budget::people::{Person, Role};
use crate::kernel::privacy::amounts::{Epsilon, Price};
use crate::query::answer::tabulate;
use crate::render::budget::{self, Cost};
use crate::service::asking::ask::Ask;
use crate::service::asking::pad::Pad;
use crate::service::asking::question::PreparedQuestion;
use crate::service::asking::rooms::{Rendering, Reservation};
use crate::service::problem::Problem;
use crate::service::{Answer, Service, ServiceError};

/// What a session has spent, by dataset.
pub(super) type Spent = HashMap<String, Price>;

/// An answer as it is sent, with the memory that it takes.
pub(super) struct Answered {
    /// The rows of the answer, laid out as the client is told.
    pub(super) table: Table,
    /// What is said beside them.
    pub(super) notice: Option<Notice>,
    /// The memory that is reserved for the rows.
    pub(super) room: Reservation,
}

/// Refuses whoever may not ask questions.
pub(super) fn check_role(person: &Person) -> Result<(), DoorFault> {
    match person.role {
        Role::Researcher => Ok(()),
        Role::Steward | Role::Viewer => Err(Problem::for_others(person.role, &[Role::Researcher]).into()),
    }
}

/// The columns of the answer to a question.
///
/// # Errors
/// [`DoorFault`] if the question would be refused for its text.
pub(super) async fn described(service: &Arc<Service>, person: &Person, sql: String) -> Result<Vec<Column>, DoorFault> {
    check_role(person)?;
    let who = person.name.clone();
    let describing = async {
        let asker = who.clone();
        match service.planning(&who, move |service| service.described(&asker, &sql)).await {
            Ok((pad, described)) => (pad, described),
            Err(error) => (None, Err(error)),
        }
    };
    let columns = service.held(describing).await?;
    Ok(columns::of_outputs(&columns))
}

/// Answers a question. What it cost is added to `spent`; `limit` is the most that the session may spend.
///
/// # Errors
/// [`DoorFault`] if it is refused, or its answer failed.
pub(super) async fn answered(
    service: &Arc<Service>,
    person: &Person,
    ask: Ask,
    (spent, limit): (&mut Spent, Option<Epsilon>),
) -> Result<Answered, DoorFault> {
    check_role(person)?;
    let asking = async {
        let (who, asker) = (person.name.clone(), person.name.clone());
        let ask = match ask.checked() {
            Ok(ask) => ask,
            Err(fault) => return (service.least_pad(), Err(Problem::from(fault).into())),
        };
        match service.planning(&who, move |service| service.prepare(&asker, ask)).await {
            Err(error) => (None, Err(error.into())),
            Ok(prepared) => {
                let pad: Option<Pad> = prepared.pad();
                (pad, of_prepared(service, &who, prepared, (spent, limit)).await)
            }
        }
    };
    service.held(asking).await
}

async fn of_prepared(
    service: &Arc<Service>,
    who: &str,
    prepared: PreparedQuestion,
    (spent, limit): (&mut Spent, Option<Epsilon>),
) -> Result<Answered, DoorFault> {
    if prepared.is_free() {
        return free(service, who, prepared).await;
    }
    let prepared = match limit {
        Some(limit) => within(service, who, prepared, (spent, limit)).await?,
        None => prepared,
    };
    let work = tokio::spawn(Arc::clone(service).answer_prepared(prepared, None, Rendering::Data));
    let (answer, room) = work.await.unwrap_or(Err(ServiceError::CutOff))?;
    if limit.is_none() {
        // With a limit its price was set aside before.
        let paid = spent.entry(answer.stored.release.subject.dataset.clone()).or_insert(Price::ZERO);
        *paid = paid.saturating_add(answer.standing.legs.researcher);
    }
    let laid_out = move || {
        let table = tabulate(&answer.layout, answer.stored.vectors());
        (columns::laid_out(&table), columns::notice(&table, price(&answer)))
    };
    let (table, notice) = service.rendering_in(&room, who, move |_| laid_out()).await?;
    Ok(Answered { table, notice: Some(notice), room })
}

/// What an answer cost, in words.
fn price(answer: &Answer) -> String {
    let epsilon = answer.epsilon();
    budget::price(&Cost::new(answer.fraction(), &epsilon, &answer.account()))
}

/// Answers what costs nothing and touches no data.
async fn free(service: &Arc<Service>, who: &str, prepared: PreparedQuestion) -> Result<Answered, DoorFault> {
    let (prepared, room) = service.in_room(prepared, Rendering::Data).await?;
    let lay_out = move |service: &Service| service.answer_free(prepared).map(|free| columns::laid_out(&free.table));
    let table = service.rendering_in(&room, who, lay_out).await??;
    Ok(Answered { table, notice: None, room })
}

/// Sets the question's price aside, provided that the session may spend it. Whatever becomes of the answer, it stays set aside.
async fn within(
    service: &Arc<Service>,
    who: &str,
    mut prepared: PreparedQuestion,
    (spent, limit): (&mut Spent, Epsilon),
) -> Result<PreparedQuestion, DoorFault> {
    let priced = service.planning(who, move |service| {
        let price = service.price_before(&mut prepared)?;
        let allowed = price.as_ref().map(|price| price.accountant.cap(limit));
        Ok::<_, ServiceError>((prepared, price.zip(allowed)))
    });
    // What does not fit now is refused here: asked again for its answer it might fit, and nothing would have been set aside for it.
    let (prepared, priced) = priced.await??;
    // What has no price whatever the accounts hold is refused with its reason.
    let Some((price, allowed)) = priced else { return Ok(prepared) };
    let before = spent.get(&price.dataset).copied().unwrap_or(Price::ZERO);
    let after = before.checked_add(price.price).filter(|after| *after <= allowed);
    let Some(after) = after else {
        let [asked, left] = [price.price, allowed.left_after(before)];
        let (asked, left) = (price.accountant.epsilon_spent(asked), price.accountant.epsilon_within(left));
        let message =
            format!("the query costs epsilon {asked}, and this session may spend {left} more of \"{}\"", price.dataset);
        let fault = DoorFault::new(state::BUDGET, message);
        return Err(DoorFault {
            detail: Some(format!("asked: epsilon {asked}; left of tacit.spend_limit: epsilon {left}")),
            ..fault
        }
        .hint("raise it: SET tacit.spend_limit = '…'; asking again what was answered stays free"));
    };
    spent.insert(price.dataset, after);
    Ok(prepared)
}
