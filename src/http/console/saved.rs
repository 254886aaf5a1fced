//! Saved questions: saving what is in the form under a name, and deleting it again.

use axum::extract::State;
use axum::response::Response;

use super::session::Form;
use super::shown::{Shown, address, aside, see};
use crate::http::App;
use crate::http::console::pages::ask::Question;
use crate::http::problem::Problem;
use crate::http::visitor::Visitor;
use crate::kernel::budget::people::{Person, Role};
use crate::service::Service;
use crate::service::asking::saved::{SavedQuestion, SavingFault};

/// The address of the form for asking, filled with a question.
pub(super) fn filled(question: &SavedQuestion, done: &str) -> String {
    let accuracy = if question.by_margin { "margin" } else { "epsilon" };
    let params = [("sql", &question.sql), (accuracy, &question.accuracy), ("purpose", &question.purpose)]
        .map(|(name, text)| (name, text.as_str()));
    address("/ask", &[params[0], params[1], params[2], ("done", done)])
}

/// Saves the question in the form, and leads back to it. `Err` holds the reason why it was not saved.
pub(super) async fn save(service: &App, form: &Form, person: &Person, question: Question) -> Result<Response, Problem> {
    let Question { sql, by_margin, epsilon, margin, purpose, .. } = question;
    let accuracy = if by_margin { margin } else { epsilon };
    let (name, at_ms) = (form.text("name").to_owned(), service.now_ms());
    let saved = SavedQuestion { name, sql, by_margin, accuracy, purpose, at_ms };
    let (place, who) = (filled(&saved, "saved"), person.name.clone());
    let done = service.rendering(&person.name, move |service| service.save_question(&who, &saved)).await?;
    done.map(|()| see(&place)).map_err(problem)
}

/// POST /ask/forget: deletes a saved question.
pub async fn forget(State(service): State<App>, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Researcher])?;
    let name = form.text("name").to_owned();
    let act = move |service: &Service, _: &Visitor| {
        service.forget_question(&person.name, &name).map_err(problem)?;
        Ok(see("/ask?done=forgotten"))
    };
    aside(&service, form.visitor, act).await
}

fn problem(fault: SavingFault) -> Problem {
    match fault {
        SavingFault::NoPlace | SavingFault::Name | SavingFault::Size | SavingFault::Full => {
            Problem::invalid_request(format!("the question was not saved: {fault}"))
        }
        SavingFault::Ledger(fault) => crate::service::ServiceError::from(fault).into(),
    }
}
