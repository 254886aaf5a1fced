//! Paying for a question from its page. A payment leads to the answer's own address, so that neither reloading nor going back offers to
//! send it again.

use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::{Asker, PageContents, ask, asking_page, free, question, quoted_page, refused_page, saved, shown_at};
use crate::http::App;
use crate::http::api::queries;
use crate::http::console::answers::place;
use crate::http::console::pages::ask::Question;
use crate::http::console::pages::price::Outlook;
use crate::http::console::session::Form;
use crate::http::console::shown::{Shown, aside, see};
use crate::http::pad;
use crate::http::problem::Problem;
use crate::http::visitor::Visitor;
use crate::kernel::budget::entry::KeyUse;
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::{Person, Role};
use crate::service::Service;
use crate::service::asking::ask::Ask;
use crate::service::asking::pad::Pad;
use crate::service::asking::question::PreparedQuestion;
use crate::service::asking::quote::Quote;
use crate::service::asking::rooms::Rendering;

/// POST /ask: leads to the price or, on payment, to the answer.
pub async fn submit(State(service): State<App>, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Researcher])?;
    let question = question(&form);
    if form.text("do") == "save" {
        return saved(&service, &form, &person, question).await;
    }
    let is_payment = form.text("do") == "pay";
    let asker = Asker { visitor: &form.visitor, person: &person, is_payment };
    let (pad, shown) = match ask(&question) {
        Err(problem) => (None, refused_page(&service, asker, question, problem).await),
        Ok(ask) if is_payment => {
            let seen = SeenPrice { epsilon: form.text("quoted").to_owned(), is_agreed: form.text("agreed") == "yes" };
            pay(&service, asker, seen, question, ask).await
        }
        Ok(ask) => match shown_at(&question, PageContents::Price) {
            Some(place) => (None, see(&place)),
            None => quoted_page(&service, asker, question, ask, PageContents::Price).await,
        },
    };
    Ok(pad::marked_any(pad, shown))
}

/// What the page that pays has shown to whoever pays.
struct SeenPrice {
    /// The price, as ε; empty if it showed none.
    epsilon: String,
    /// Whether they have agreed to pay although the quote has warnings.
    is_agreed: bool,
}

/// The key under which a page pays. It covers the question and its accuracy, too.
fn key_of(question: &Question) -> Option<KeyUse> {
    let digest = |parts: &[&str]| {
        let mut hasher = blake3::Hasher::new();
        parts.iter().for_each(|part| {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        });
        *hasher.finalize().as_bytes()
    };
    let by = if question.by_margin { &question.margin } else { &question.epsilon };
    let how = if question.by_margin { "margin" } else { "epsilon" };
    let body = digest(&[&question.sql, how, by, &question.purpose]);
    // Another question from the same page is another payment.
    let key = digest(&["console", &question.key, &question.sql, how, by, &question.purpose]);
    (!question.key.is_empty()).then_some(KeyUse { key, body })
}

/// Prepares a question, and returns its quote if the price differs from the one seen on the page that pays. Free questions, and those that
/// this page has paid for before, need no quote.
fn prepared(
    service: &Service,
    who: &str,
    ask: Ask,
    key: Option<KeyUse>,
    seen: &SeenPrice,
) -> (PreparedQuestion, Option<Quote>) {
    let mut prepared = service.prepare(who, ask);
    let is_paid = key.is_none_or(|key| read(service.ledger(), |book| book.under_key(who, &key)).is_some());
    if prepared.is_free() || is_paid {
        return (prepared, None);
    }
    let quote = service.quote_before(&mut prepared);
    let is_agreed = |quote: &Quote| quote.epsilon == seen.epsilon && (quote.warnings.is_empty() || seen.is_agreed);
    let is_unseen = |quote: &Quote| quote.answerable && quote.epsilon != "0" && !is_agreed(quote);
    (prepared, quote.filter(is_unseen))
}

/// Pays for a question and redirects to the answer. The key comes from the page, so sending the page again does not pay again.
async fn pay(
    service: &App,
    asker: Asker<'_>,
    seen: SeenPrice,
    question: Question,
    ask: Ask,
) -> (Option<Pad>, Response) {
    let (key, who) = (key_of(&question), asker.person.name.clone());
    let work = move |service: &Service| prepared(service, &who, ask, key, &seen);
    let (prepared, unseen) = match service.planning(&asker.person.name, work).await {
        Ok(prepared) => prepared,
        Err(error) => return (None, refused_page(service, asker, question, error.into()).await),
    };
    let pad = prepared.pad();
    if let Some(quote) = unseen {
        return (pad, unseen_page(service, asker, question, quote).await);
    }
    let shown = match (prepared.is_free(), shown_at(&question, PageContents::Answer)) {
        // What is refused is refused here, with its status.
        (true, Some(place)) => free(service, asker, prepared).await.map(|_| see(&place)),
        (true, None) => free(service, asker, prepared).await,
        (false, _) => answered(service, asker.person, prepared, key).await,
    };
    let shown = match shown {
        Ok(page) => page,
        Err(problem) => refused_page(service, asker, question, problem).await,
    };
    (pad, shown)
}

/// The price that nobody has seen yet, instead of a payment.
async fn unseen_page(service: &App, asker: Asker<'_>, question: Question, quote: Quote) -> Response {
    if let Some(place) = shown_at(&question, PageContents::Unseen) {
        return see(&place);
    }
    let person = asker.person.clone();
    let show = move |service: &Service, visitor: &Visitor| {
        Ok(asking_page(service, visitor, &person, &question, &Outlook::Unseen(&quote)))
    };
    aside(service, asker.visitor.clone(), show).await.unwrap_or_else(IntoResponse::into_response)
}

/// Pays, and redirects to the answer as this payment was answered, so that no page of an answer is one that a form was sent to.
async fn answered(
    service: &App,
    person: &Person,
    prepared: PreparedQuestion,
    key: Option<KeyUse>,
) -> Result<Response, Problem> {
    let (answer, _) = queries::answer_in_time(service, prepared, key, Rendering::Nothing).await?;
    let seq = key.and_then(|key| service.entry_under(&person.name, &key));
    Ok(see(&place(&answer.stored.release.id, seq)))
}
