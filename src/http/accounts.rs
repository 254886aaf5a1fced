//! GET /v1/accounts: one's own and one's projects'; a steward sees all.

use axum::extract::State;
use axum::response::Response;

use super::App;
use super::auth::Reader;
use super::params::{PageParams, page};
use super::problem::Problem;
use crate::budget::people::Role;
use crate::service::account::{NamedAccount, accounts};

/// Lists accounts; `after` is `kind:dataset:name`.
#[utoipa::path(
    get, path = "/v1/accounts", params(PageParams), security(("token" = [])),
    responses((status = 200, body = Vec<NamedAccount>), (status = 400, body = Problem))
)]
pub async fn list(State(service): State<App>, Reader(person): Reader, params: PageParams) -> Result<Response, Problem> {
    let own = match person.role {
        Role::Steward => None,
        Role::Researcher | Role::Viewer => Some(person.name.as_str()),
    };
    let name = |account: &NamedAccount| format!("{}:{}:{}", account.kind, account.dataset, account.name);
    page(accounts(service.ledger(), own, service.now_ms()), name, "/v1/accounts", &params)
}
