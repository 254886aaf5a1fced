//! The stewards' pages of sealings: starting one, its progress, its report, and the way back to the text of its policy.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;

use super::session::{Form, PolicyForm};
use super::shown::{Shown, see};
use crate::http::App;
use crate::http::api::sealings::sealings;
use crate::http::console::pages::sealings as pages;
use crate::http::params::Segment;
use crate::http::problem::Problem;
use crate::http::shared::Shared;
use crate::http::visitor::Visitor;
use crate::kernel::budget::people::Role;
use crate::service::publishing::sealings::SealingRefusal;

/// The path of the list of sealings.
const ALL: &str = "/sealings";

/// GET /sealings: the sealings that are remembered.
pub async fn list(Extension(shared): Extension<Arc<Shared>>, visitor: Visitor) -> Shown {
    visitor.only(&[Role::Steward])?;
    let all = shared.settings.sealings.as_ref().map(|sealings| sealings.all()).unwrap_or_default();
    Ok(visitor.page("Sealings", ALL, &pages::list(&all)))
}

/// POST /sealings: starts to seal a policy. One that is refused is shown again with its faults.
pub async fn start(State(service): State<App>, Extension(shared): Extension<Arc<Shared>>, sent: PolicyForm) -> Shown {
    let (text, form) = (sent.policy(), sent.0);
    let person = form.visitor.only(&[Role::Steward])?;
    let sealings = sealings(&shared).map_err(|problem| form.visitor.fail(problem))?;
    let (upload, by) = (form.some("upload"), person.name.clone());
    let handed = text.clone();
    let start = move |_: &_| sealings.start(handed, upload.as_deref(), &by);
    match service.planning(&person.name, start).await.map_err(|error| form.visitor.fail(error))? {
        Ok(id) => Ok(see(&format!("{ALL}/{id}"))),
        Err(refusal) => Ok(refused(&form, &text, refusal)),
    }
}

fn refused(form: &Form, text: &str, refusal: SealingRefusal) -> axum::response::Response {
    let problem = Problem::from(refusal);
    let status = problem.status();
    let body = pages::refused(&form.visitor.csrf, text, form.text("upload"), problem.detail());
    let mut response = form.visitor.page("Nothing was sealed", ALL, &body);
    *response.status_mut() = if status.is_server_error() { status } else { StatusCode::BAD_REQUEST };
    response
}

/// GET /sealings/{id}: how far a sealing is, and what came of it. One that is not remembered leads to the list.
pub async fn one(Extension(shared): Extension<Arc<Shared>>, visitor: Visitor, Segment(id): Segment) -> Shown {
    visitor.only(&[Role::Steward])?;
    let view = shared.settings.sealings.as_ref().and_then(|sealings| sealings.view(&id));
    let Some(view) = view else { return Ok(see(ALL)) };
    let body = pages::one(&visitor.csrf, &view);
    let title = format!("Sealing {}", view.dataset);
    Ok(if view.step.is_under_way() {
        visitor.page_that_refreshes(&title, ALL, &body)
    } else {
        visitor.page(&title, ALL, &body)
    })
}

/// POST /sealings/{id}/cancel: ends a sealing while its sources are read.
pub async fn cancel(Extension(shared): Extension<Arc<Shared>>, Segment(id): Segment, form: Form) -> Shown {
    form.visitor.only(&[Role::Steward])?;
    let cancelled = sealings(&shared).and_then(|sealings| Ok(sealings.cancel(&id)?));
    let view = cancelled.map_err(|problem| form.visitor.fail(problem))?;
    Ok(see(&format!("{ALL}/{}", view.id)))
}
