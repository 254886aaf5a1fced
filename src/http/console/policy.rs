//! The stewards' page for checking a policy. Its text is kept nowhere, and no source is read.

use axum::extract::State;
use maud::Markup;

use super::session::Form;
use super::shown::{Shown, fragment};
use crate::http::App;
use crate::http::console::pages::policy::{self as pages, Checked};
use crate::http::visitor::Visitor;
use crate::kernel::budget::people::Role;
use crate::query::terms::policy::Policy;
use crate::service::Service;
use crate::service::publishing::policies::changes;

/// GET /policy: the form.
pub async fn form(visitor: Visitor) -> Shown {
    visitor.only(&[Role::Steward])?;
    let body = pages::page(&visitor.csrf, "", &Checked::Nothing);
    Ok(visitor.page("Check a policy", "/datasets", &body))
}

/// POST /policy: the form with what a check of its text found.
pub async fn check(State(service): State<App>, form: Form) -> Shown {
    form.visitor.only(&[Role::Steward])?;
    let text = form.text("text");
    let body = checked(&service, text, |checked| pages::page(&form.visitor.csrf, text, checked));
    Ok(form.visitor.page("Check a policy", "/datasets", &body))
}

/// POST /policy/check: what a check found, to be put into the page.
pub async fn check_part(State(service): State<App>, form: Form) -> Shown {
    form.visitor.only(&[Role::Steward])?;
    let text = form.text("text");
    Ok(fragment(&checked(&service, text, |checked| pages::found(text, checked))))
}

fn checked(service: &Service, text: &str, show: impl FnOnce(&Checked<'_>) -> Markup) -> Markup {
    if text.is_empty() {
        return show(&Checked::Nothing);
    }
    match Policy::parse(text) {
        Ok(policy) => {
            let sealed = service.dataset(&policy.name).map(|dataset| &dataset.terms);
            let changes = changes(service.ledger(), sealed, &policy);
            show(&Checked::Policy { policy: &policy, is_served: sealed.is_some(), changes: &changes })
        }
        Err(faults) => show(&Checked::Faulty(&faults)),
    }
}
