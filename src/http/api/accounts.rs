//! GET /v1/accounts: lists one's own accounts and those of one's projects; a steward sees all.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::http::auth::Reader;
use crate::http::params::{Page, PageParams, next_link};
use crate::http::problem::Problem;
use crate::http::{App, aside};
use crate::kernel::budget::people::Role;
use crate::service::Service;
use crate::service::stewarding::accounts::{NamedAccount, accounts_after};

/// Lists accounts. `after` is the last account of the previous page, as `kind:dataset:name`.
#[utoipa::path(
    get, path = "/v1/accounts", params(PageParams), security(("token" = [])),
    responses((status = 200, body = Vec<NamedAccount>), (status = 400, body = Problem))
)]
pub async fn list(State(service): State<App>, Reader(person): Reader, params: PageParams) -> Result<Response, Problem> {
    let (limit, name) = (params.limit()?, person.name.clone());
    let list = move |service: &Service| {
        let own = match person.role {
            Role::Steward => None,
            Role::Researcher | Role::Viewer => Some(person.name.as_str()),
        };
        let found = accounts_after(service.ledger(), own, params.after.as_deref(), limit + 1, service.now_ms());
        let found = found.ok_or_else(|| Problem::invalid_request("after names nothing in this list"))?;
        let page = Page::cut(found, limit);
        let next = page.items.last().filter(|_| page.more).map(NamedAccount::id);
        Ok((next_link("/v1/accounts", next.as_deref(), limit), Json(page.items)).into_response())
    };
    aside::built(&service, &name, list).await?
}
